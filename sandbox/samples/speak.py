"""Speak calls.toml into audio/<id>.wav with Debian's flite and sox; needed only when a script changes.

    apt-get install flite sox
    python -m sandbox.samples.speak [ID ...]

The files are what a carrier records of a call: two channels (0 the caller, 1 the agent), 8 kHz, G.711 mu-law, the
narrow band of a telephone and a little noise on the line. The same scripts give the same bytes.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.samples import SampleCall, Speaker, calls

GAP = 0.3  # seconds between two turns
TELEPHONE = ("rate", "8000", "norm", "-6")
CHANNEL: dict[Speaker, tuple[str, str]] = {"caller": ("1", "0"), "agent": ("0", "1")}
NOISE = "0.0015"  # of full scale: heard in a pause, never over a voice


def main(ids: list[str]) -> None:
    """Speak the calls named, or all of them."""
    for call in calls():
        if not ids or call.id in ids:
            speak(call)
            print(f"{call.id}: {call.audio.stat().st_size:,} bytes")


def speak(call: SampleCall) -> None:
    """Write the audio of one call over what was there."""
    with TemporaryDirectory() as folder:
        pieces = [Path(folder, f"{number}.wav") for number in range(len(call.turns))]
        for piece, turn in zip(pieces, call.turns, strict=True):
            voice = call.voices[turn.speaker]
            spoken = piece.with_suffix(".flite.wav")
            run(
                "flite",
                "-voice",
                voice,
                "--setf",
                f"duration_stretch={call.stretch}",
                "-t",
                turn.text,
                "-o",
                spoken,
            )
            run("sox", "-D", spoken, piece, *TELEPHONE, "remix", *CHANNEL[turn.speaker], "pad", "0", str(GAP))
        speech, noise = Path(folder, "speech.wav"), Path(folder, "noise.wav")
        run("sox", "-D", *pieces, speech)
        run(
            "sox",
            "-R",
            "-D",
            "-n",
            "-r",
            "8000",
            "-c",
            "2",
            noise,
            "synth",
            length(speech),
            "pinknoise",
            "vol",
            NOISE,
        )
        call.audio.parent.mkdir(exist_ok=True)
        run("sox", "-D", "-m", "-v", "1", speech, "-v", "1", noise, "-e", "mu-law", call.audio)


def length(audio: Path) -> str:
    """Return how long `audio` lasts, in seconds."""
    return subprocess.run(["soxi", "-D", audio], check=True, capture_output=True, text=True).stdout.strip()


def run(*command: str | Path) -> None:
    """Run one command, and stop with its own message when it fails."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
