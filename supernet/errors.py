"""The one exception that is a user's to fix; every other exception is a bug of ours."""


class UserError(ValueError):
    """A value, file or flag of the user's that cannot work.

    The message names the argument, its value, what is allowed and the remedy. The commands print it
    without a traceback and exit with status 2.

    Examples:
      >>> import supernet
      >>> try:
      ...     supernet.space_from_mapping({"name": "mine"})
      ... except supernet.UserError as error:
      ...     print(error)
      space.stages: expected a list with a mapping for each stage
    """


def first_line(error: BaseException) -> str:
    """What an exception says, in one line; its kind where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
