"""Erasing follows the data map: lifecycle/ names no table, and what the map does not decide does not import."""

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Mapped

import lifecycle
from lifecycle.meant import root_of
from lifecycle.scrub import changes
from models.answers import UnmappedDataError
from models.base import TenantRow, link
from models.data_map import About, Category, Delete, Life, NoOne, Revoke, Scrub, Through, Unlink, WhileActive
from models.entries import rows, table_of
from models.erasures import Scope
from models.kinds import Id
from tests.lifecycle.erasing.world import OURS
from tests.rows import tenant_rows

FILES = ("batch", "erase", "keep", "known", "meant", "paths", "progress", "raw", "redact", "remaining", "resolve")
MORE = ("scrub", "spelling", "walk")
ENGINE = {table_of(row).name for row in rows() if row.__life__.category is Category.ENGINE}


def test_no_product_table_is_named():
    named = {table_of(row).name for row in rows()} - ENGINE - {"users"}
    engine = {row.__module__ for row in rows() if row.__life__.category is Category.ENGINE}
    modules = {row.__module__ for row in rows()} - engine
    for file in (*FILES, *MORE):
        tree = ast.parse((Path(lifecycle.__file__).parent / f"{file}.py").read_text(encoding="utf-8"))
        assert not {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} & modules, file
        told = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        sql = " ".join(each for each in told if re.search(r"\b(SELECT|DELETE|UPDATE|INSERT)\b", each))
        assert not set(re.findall(r"\w+", sql)) & named, file
        assert not set(told) & named, file


def test_the_root_of_each_scope_is_a_row_of_a_table():
    assert {scope: root_of(scope).name for scope in Scope} == {
        Scope.BUSINESS: "businesses",
        Scope.PERSON: "people",
        Scope.COMMUNICATIONS: "people",
        Scope.RECORDING: "recordings",
        Scope.MEMBER: "members",
        Scope.VISITOR: "visitors",
    }


def test_a_row_that_holds_another_fast_says_that_it_ends_with_it():
    with pytest.raises(UnmappedDataError, match="holds a row of conversations fast"):

        class Rating(TenantRow):
            """How a conversation was liked."""

            __tablename__ = "ratings_of_erasing"
            __table_args__ = (link("conversation_id", "conversations"),)
            __life__ = Life(
                category=Category.BUSINESS,
                links=(NoOne(because="nobody thought of it"),),
                after_cancellation=(Delete(),),
                ends=WhileActive(),
            )

            conversation_id: Mapped[Id]


def test_every_row_that_can_stop_another_from_going_is_followed():
    for row in tenant_rows():
        followed = {each.column for each in row.__life__.links if isinstance(each, About | Through)}
        for key in table_of(row).foreign_key_constraints:
            column, target = key.column_keys[-1], key.referred_table
            if (
                column != "business_id"
                and key.ondelete is None
                and target in OURS.values()
                and target is not table_of(row)
            ):
                assert column in followed or len(key.column_keys) == 1, (table_of(row).name, column)


def test_what_holds_an_access_leaves_it_to_be_given_back():
    for row in rows():
        for ending in row.__life__.after_cancellation:
            if isinstance(ending, Revoke):
                secrets = [column for column in table_of(row).columns if column.info["holds"].secret]
                assert secrets
                for column in secrets:
                    assert column.info["holds"].outside, f"{column}: the row goes, and nobody gives the access back"
                    assert column.info["at_in"] == ending.at, column


def test_every_ending_that_empties_columns_can():
    for row in rows():
        life, table = row.__life__, table_of(row)
        for link_of, endings in [
            (None, life.after_cancellation),
            *((each.column, each.then) for each in life.links if isinstance(each, About)),
        ]:
            made = changes(table, link_of, endings)
            if any(isinstance(each, Scrub | Unlink) for each in endings):
                assert made, (table.name, link_of)
