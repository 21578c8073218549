"""Architecture -> number, each with a name, a unit and a direction.

Public: `base.Estimator`; `complexity.num_parameters`, `num_macs`, `peak_memory_bytes`, `model_bytes` and the
last two's `_int8`; `tflite_operators.tflite_operators`; `latency.LatencyEstimator`, `LatencyPredictor`;
`zen_score.ZenScore`; `naswot.Naswot`; `az_nas.AzNas`; `supernet_accuracy.SupernetError`;
`ranking.kendall_tau`. Import them from their modules: only the last five need JAX.
"""
