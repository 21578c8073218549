"""Trees as vectors."""

import jax
import jax.numpy as jnp
import numpy as np

from supernet.flat import flatten, unflatten


def test_by_hand_and_back() -> None:
    tree = {"b": {0: jnp.arange(6.0).reshape(2, 3)}, "a": jnp.array(9.0)}
    vector = flatten(tree)
    assert vector.tolist() == [9, 0, 1, 2, 3, 4, 5]  # the leaves are ordered by name
    shapes = jax.eval_shape(lambda: tree)
    jax.tree.map(np.testing.assert_array_equal, unflatten(shapes, np.asarray(vector)), tree)


def test_gradient_is_the_vector_of_the_gradients() -> None:
    shapes = {"a": jax.ShapeDtypeStruct((2,), jnp.float32), "b": jax.ShapeDtypeStruct((1, 2), jnp.float32)}

    def total(vector: jax.Array) -> jax.Array:
        tree = unflatten(shapes, vector)
        return jnp.sum(tree["a"] ** 2) + 5 * tree["b"][0, 1]

    assert jax.grad(total)(jnp.array([1.0, 2, 3, 4])).tolist() == [2, 4, 0, 5]
