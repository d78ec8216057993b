"""Addresses: what is taken, what is refused with which line, and that a password is nowhere."""

import pytest

from gan_eval.errors import UserError
from gan_eval.store.connect import parse_address

SECRET = "hun/ter 2@lab%"
SPELT = "hun%2Fter%202%40lab%25"


def test_the_driver_may_be_left_out():
    for scheme in ("postgresql", "postgresql+psycopg"):
        address = parse_address(f"{scheme}://lab:{SPELT}@server:5433/studies")
        assert address.url.drivername == "postgresql+psycopg"
        assert address.url.password == SECRET
        assert address.safe_url == "postgresql://lab@server:5433/studies"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (f"postgres://lab:{SPELT}@server/studies", "--store postgres://...: write postgresql:// for postgres://"),
        (f"mysql://lab:{SPELT}@server/studies", "--store mysql://...: a lab's server is PostgreSQL"),
        (f"postgresql://lab:{SPELT}@server", "--store: the URL names no database"),
        (f"post gres://lab:{SPELT}@server", "--store: not a database URL"),
        (f"postgresql://lab:{SPELT}@server:port/studies", "--store: not a database URL"),
    ],
)
def test_another_url_is_refused_without_its_password(url, line):
    with pytest.raises(UserError) as caught:
        parse_address(url)
    assert str(caught.value).startswith(line)
    assert "hun" not in str(caught.value)


def test_a_message_is_scrubbed_however_the_password_is_spelt():
    address = parse_address(f"postgresql://lab:{SPELT}@server/studies?sslpassword=other%21")
    said = address.scrub(f"no: password={SECRET} url={SPELT} hun%2Fter+2%40lab%25\n other! other%21")
    assert said == "no: password=*** url=*** *** *** ***"
    for text in (repr(address), address.safe_url, str(address)):
        assert "hun" not in text
        assert "other" not in text
