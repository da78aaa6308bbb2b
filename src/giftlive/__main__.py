"""Run the command line as ``python -m giftlive``."""

from giftlive.cli import main

if __name__ == "__main__":
    main()
