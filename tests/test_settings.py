"""The settings file: what a new one says, what is refused and in which words, and what stays secret."""

from __future__ import annotations

import datetime as dt
from email.utils import parseaddr

import pytest

from setia.kernel.errors import SetiaError
from setia.settings import FILE, BadSettings, NotAWorkspace, Settings, ShopSettings, secret, template


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("SETIA_") and name != "SETIA_DATA":
            monkeypatch.delenv(name)


@pytest.fixture
def workspace(tmp_path):
    def write(text: str):
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    "shop",
    [
        ShopSettings(),
        ShopSettings(name="Kedai Ali", currency="MYR", time_zone="Asia/Kuala_Lumpur", language="ms", margin=0.25),
        ShopSettings(name='Toko "Kopi" \\ & Teh'),
        ShopSettings(name="Toko, Teh; <Kopi>"),
        ShopSettings(name="Café Ümit 珈琲"),
    ],
)
def test_a_new_file_says_what_was_chosen(workspace, shop):
    read = Settings.read(workspace(template(shop)))
    assert read.shop == shop
    name, address = parseaddr(read.email.sender)
    assert (name, address) == (" ".join(shop.name.replace('"', "'").replace("\\", "").split()), "shop@example.com")
    assert (read.gate.quiet_from, read.gate.quiet_until, read.gate.most_per_week) == (dt.time(20), dt.time(8), 2)
    assert read.warehouse.memory == "1GB"
    assert read.email.host is None


def test_everything_has_a_default(workspace):
    assert Settings.read(workspace("")) == Settings()


def test_a_folder_without_settings(tmp_path):
    with pytest.raises(NotAWorkspace, match=r"has no setia\.toml\. Make one with `setia init"):
        Settings.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[shop]\ncurrency = 'rupiah'", "shop.currency: String should match pattern"),
        ("[shop]\ntime_zone = 'Jakarta'", "shop.time_zone: no time zone is called 'Jakarta'"),
        ("[shop]\nlanguage = 'fr'", "shop.language: Input should be 'en', 'id' or 'ms'"),
        ("[shop]\nmargin = 0", "shop.margin: Input should be greater than 0"),
        ("[shop]\nmargin = 40", "shop.margin: Input should be less than or equal to 1"),
        ("[shop]\ncurency = 'IDR'", "shop.curency: there is no such setting; did you mean currency?"),
        ("[shops]\nname = 'x'", "shops: there is no such setting; did you mean shop?"),
        ("[gate]\nzzz = 1", "gate.zzz: there is no such setting"),
        ("[warehouse]\nmemory = 'lots'", "warehouse.memory: String should match pattern"),
        ("[warehouse]\nthreads = 0", "warehouse.threads: Input should be greater than or equal to 1"),
        ("[gate]\nquiet_from = 'late'", "gate.quiet_from: Input should be in a valid time format"),
        ("[gate]\nmost_per_week = -1", "gate.most_per_week: Input should be greater than or equal to 0"),
        ("[email]\nsecurity = 'maybe'", "email.security: Input should be 'starttls', 'tls' or 'none'"),
        ("[shop\nname = 'x'", "(at line 1, column"),
        ("shop = 3", "shop: Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(workspace, text, problem):
    folder = workspace(text)
    with pytest.raises(BadSettings) as refused:
        Settings.read(folder)
    said = str(refused.value)
    assert said.startswith(f"{folder / FILE} cannot be used: ")
    assert problem in said
    assert "\n" not in said
    assert said.endswith("Mend that line and try again.")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / FILE).write_bytes(b"[shop]\nname = '\xff\xfe'")
    with pytest.raises(BadSettings, match="cannot be used"):
        Settings.read(tmp_path)


def test_the_environment_wins(workspace, monkeypatch):
    folder = workspace("[shop]\nname = 'File'\ncurrency = 'MYR'\n[email]\nhost = 'file.example.com'")
    monkeypatch.setenv("SETIA_SHOP__NAME", "Environment")
    monkeypatch.setenv("SETIA_EMAIL__PORT", "2525")
    monkeypatch.setenv("SETIA_STORE__URL", "postgresql://setia:hidden@db/shop")
    monkeypatch.setenv("SETIA_EMAIL__HOST", "")
    read = Settings.read(folder)
    assert (read.shop.name, read.shop.currency) == ("Environment", "MYR")
    assert (read.email.host, read.email.port) == ("file.example.com", 2525)
    assert secret(read.store.url, None) == "postgresql://setia:hidden@db/shop"


def test_a_bad_value_in_the_environment_is_said(workspace, monkeypatch):
    monkeypatch.setenv("SETIA_EMAIL__PORT", "many")
    with pytest.raises(BadSettings, match=r"email\.port: Input should be a valid integer"):
        Settings.read(workspace(""))


def test_secrets_are_not_shown(workspace):
    folder = workspace("[email]\npassword = 'hunter2'\n[store]\nurl = 'postgresql://u:hunter2@h/d'")
    read = Settings.read(folder)
    assert "hunter2" not in f"{read!r} {read} {read.model_dump()} {read.model_dump_json()}"
    assert secret(read.email.password, read.email.password_file) == "hunter2"


def test_a_refused_secret_is_not_shown(workspace):
    with pytest.raises(SetiaError) as refused:
        Settings.read(workspace("[email]\npassword = ['hunter2']"))
    assert "hunter2" not in str(refused.value)


def test_a_secret_in_a_file_of_its_own(tmp_path):
    file = tmp_path / "password"
    file.write_bytes(b"  two words \r\n\n")
    assert secret(None, file) == "  two words "
    assert secret(None, None) is None
