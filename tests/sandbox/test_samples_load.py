from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from providers.s3 import Objects
from sandbox.samples import businesses, calls, chats
from sandbox.samples.load import load, sample_id

if TYPE_CHECKING:
    from tests.conftest import Bucket, Database


@pytest.fixture
def objects(bucket: "Bucket") -> Objects:
    return Objects(
        endpoint=bucket.endpoint_url,
        region=bucket.region,
        access_key=bucket.access_key,
        secret_key=bucket.secret_key,
        bucket=bucket.name,
    )


def test_every_sample_starts_its_job_once_however_often_it_is_loaded(database: "Database", objects: Objects) -> None:
    assert load(database.web_url, objects) == (len(calls()), len(chats()))
    assert load(database.web_url, objects) == (0, 0)
    admin = create_engine(database.admin_url)
    with admin.connect() as db:
        kinds = Counter(db.execute(text("SELECT kind FROM ledger.jobs")).scalars())
        loaded = Counter(db.execute(text("SELECT name FROM nexara.businesses")).scalars())
        ended = db.execute(text("SELECT count(*) FROM nexara.conversations WHERE ended_at < now()")).scalar()
    admin.dispose()
    assert kinds == {"recordings.transcribe": len(calls()), "conversations.summarize": len(chats())}
    assert loaded == Counter(business.name for business in businesses())
    assert ended == len(calls()) + len(chats())


def test_a_loaded_recording_is_in_the_bucket_as_it_was_spoken(database: "Database", objects: Objects) -> None:
    load(database.web_url, objects)
    call = calls()[0]
    admin = create_engine(database.admin_url)
    with admin.connect() as db:
        stored = text("SELECT object FROM nexara.recordings WHERE id = :id AND state = 'stored'")
        key = db.execute(stored, {"id": sample_id("recording", call.id)}).scalar_one()
    admin.dispose()
    assert objects.get(key) == call.audio.read_bytes()
    assert objects.describe(key).content_type == "audio/wav"
