"""Whether a network fits a small microcontroller: 256 kB of memory (SRAM) and 1 MB of flash."""

SRAM_BYTES = 256 * 1024
FLASH_BYTES = 1024 * 1024


def verdict(peak_bytes: int, file_bytes: int) -> str:
    """In words, whether activations of `peak_bytes` and a file of `file_bytes` fit.

    They may fill all there is: a program and its runtime need some of both beside them (docs/memory.md).
    """
    needs = {
        "256 kB of memory": peak_bytes <= SRAM_BYTES,
        "1 MB of flash": file_bytes <= FLASH_BYTES,
    }
    missed = [name for name, is_enough in needs.items() if not is_enough]
    return f"too large for {' and '.join(missed)}" if missed else f"fits {' and '.join(needs)}"
