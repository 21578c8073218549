"""From a trained network to files for devices: ONNX, TFLite, StableHLO, in floats and in eight bits."""
