"""Secrets that rows hold sealed: Fernet (https://github.com/fernet/spec), as the web tier's language has it, too.

Assumed: the web tier seals a token before it writes it, with the first of the keys that we are given.
"""

from typing import TYPE_CHECKING

from ledger.errors import Misconfigured
from providers.once import Once

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Seals:
    """Opens what was sealed with any of some keys, with commas, of which the first seals; `setting` names them.

    What no key opens is one row's trouble and may be a key that was taken away too soon: `whose` is what to mend then.
    """

    def __init__(self, keys: str, setting: str, whose: str) -> None:
        self._setting, self._whose = setting, whose
        self._keys = Once(lambda: self._read(keys))

    def seal(self, secret: str) -> str:
        """Return a secret sealed, which is another text each time."""
        return self._keys().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed; raise Misconfigured where a key is missing, or `of_business` where none opens it."""
        from cryptography.fernet import InvalidToken

        keys = self._keys()
        try:
            return keys.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            shut = Misconfigured("seal_unopened", f"no key in {self._setting} opens it", self._whose, of_business=True)
        raise shut  # after the block: the error in it knows what it could not open

    def _read(self, keys: str) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        given = [key.strip() for key in keys.split(",") if key.strip()]
        if not given:
            raise Misconfigured("setting_missing", f"{self._setting} is not set", setting=self._setting)
        try:
            return MultiFernet([Fernet(key) for key in given])
        except ValueError:
            malformed = f"{self._setting} holds something that is no Fernet key"
        raise Misconfigured("setting_malformed", malformed, setting=self._setting)
