"""Deepgram hears: a recording's address goes out, its words come back, nothing is kept to train on."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.asking import ask, whereabouts
from providers.bounds import CHECK, bounds, connect_within
from providers.deepgram_reply import Heard, Projects, Segment, heard
from providers.once import Once
from providers.pauses import asked_pause
from providers.quiet import quiet
from providers.required import address, secret

if TYPE_CHECKING:
    import httpx
    from deepgram import DeepgramClient

__all__ = ["Deepgram", "Heard", "Segment"]

KEY: Final = "DEEPGRAM_API_KEY"
BASE_URL: Final = "DEEPGRAM_BASE_URL"


class Deepgram:
    """A client that any number of threads may share; `timeout` is in seconds for a whole call.

    Raises Misconfigured when a value is missing; connects, and imports the SDK, when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, timeout: float = 600.0) -> None:
        self._api_key = secret(api_key, KEY)
        self._base_url = address(base_url, BASE_URL)
        self._timeout = timeout
        self._http = Once(self._open)
        self._client = Once(self._connect)

    def transcribe(self, url: str, *, tag: str) -> Heard:
        """Return what was said in the recording at `url`; silence is an empty text, not an error.

        `tag` is an opaque id that Deepgram shows beside the usage. Raises TryAgain `audio_unreachable` when
        Deepgram could not fetch the URL, GiveUp `audio_unreadable` when what it fetched is no audio.
        """
        return ask(
            lambda: heard(
                self._client().listen.v1.media.transcribe_url(
                    url=url,
                    model="nova-3",
                    language="multi",
                    multichannel=True,
                    diarize=True,
                    utterances=True,
                    smart_format=True,
                    punctuate=True,
                    mip_opt_out=True,  # without it Deepgram may keep the voice to train on
                    tag=[tag],
                    request_options={"max_retries": 0},
                )
            ),
            meaning,
        )

    def check(self) -> None:
        """Read the list of projects, which costs nothing and needs a good key."""
        ask(
            lambda: Projects.model_validate(
                self._client().manage.v1.projects.list(
                    request_options={"timeout": min(CHECK, self._timeout), "max_retries": 0}
                ),
                from_attributes=True,
            ),
            meaning,
        )

    def close(self) -> None:
        """Close the connections."""
        if http := self._http.made:
            http.close()

    def _open(self) -> "httpx.Client":
        import httpx

        quiet("deepgram", "httpcore", "httpx")
        return httpx.Client(
            timeout=httpx.Timeout(self._timeout, connect=connect_within(self._timeout)),
            event_hooks=bounds(httpx, self._timeout),
        )

    def _connect(self) -> "DeepgramClient":
        from deepgram import DeepgramClient
        from deepgram.environment import DeepgramClientEnvironment

        base = self._base_url
        return DeepgramClient(
            api_key=self._api_key,
            environment=DeepgramClientEnvironment(base=base, production=base, agent=base, agent_rest=base),
            httpx_client=self._http(),
            max_retries=0,
        )


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, or a wrong answer means for the job."""
    import httpx
    from deepgram.core.api_error import ApiError

    match error:
        case httpx.TimeoutException():
            return TryAgain("deepgram_timeout", "Deepgram did not answer in time")
        case httpx.HTTPError():
            return TryAgain("deepgram_unreachable", "the connection to Deepgram failed")
        case ApiError(status_code=int(status), body=body, headers=headers) if status >= HTTPStatus.MULTIPLE_CHOICES:
            return _refusal(status, body, headers)
        case ApiError() | ValidationError():
            return TryAgain("deepgram_garbled", "Deepgram answered something that is no transcript")
        case _:
            return TryAgain("deepgram_failed", f"Deepgram's SDK failed with {whereabouts(error)}")


def _refusal(status: int, body: object, headers: Mapping[str, str] | None) -> JobError:
    said = body if isinstance(body, dict) else {}
    failure: JobError = GiveUp("deepgram_refused", f"Deepgram refused the request with status {status}")
    match status:
        case 400 if said.get("err_code") == "REMOTE_CONTENT_ERROR":
            failure = TryAgain("audio_unreachable", "Deepgram could not fetch the recording")
        case 400 if "corrupt or unsupported data" in str(said.get("err_msg")):
            failure = GiveUp("audio_unreadable", "Deepgram could not read the recording as audio")
        case 401 | 403:
            failure = Misconfigured("deepgram_key_refused", "Deepgram refused the key", setting=KEY)
        case 402:
            failure = Misconfigured("deepgram_out_of_credit", "the account has no credit left", setting=KEY)
        case 301 | 302 | 303 | 307 | 308 | 404 | 405:
            # Path and model are fixed above, so the address is wrong, and for every recording alike.
            failure = Misconfigured("deepgram_not_there", "no Deepgram at this address", setting=BASE_URL)
        case 429:
            failure = RateLimited("deepgram_busy", "Deepgram asked for a pause", asked_pause(headers), "deepgram")
        case 408 | 409 | 425:
            failure = TryAgain("deepgram_unready", "Deepgram could not take the request now")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = TryAgain("deepgram_down", f"Deepgram failed with status {status}")
    return failure
