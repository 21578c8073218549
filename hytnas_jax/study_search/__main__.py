from hytnas_jax.runtime.command_line import run
from hytnas_jax.study_search import Config, main

if __name__ == "__main__":
    run(main, Config)
