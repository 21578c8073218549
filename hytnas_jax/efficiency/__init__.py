"""What a space costs on devices: which genes it comes from, and a smaller space within given limits."""
