from hytnas_jax.export import Config, main
from hytnas_jax.runtime.command_line import run

if __name__ == "__main__":
    run(main, Config)
