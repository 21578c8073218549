from hytnas_jax.main_job import Config, main
from hytnas_jax.runtime.command_line import run

if __name__ == "__main__":
    run(main, Config)
