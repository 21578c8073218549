from hytnas_jax.describe import Config, main
from hytnas_jax.runtime.command_line import run

if __name__ == "__main__":
    run(main, Config)
