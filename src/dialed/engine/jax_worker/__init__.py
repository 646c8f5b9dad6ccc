"""The fused engine for users of TensorFlow and torch: it trains in a process of its own, with Keras on JAX."""
