"""The operator's sessions: signed, limited in time, and her forms her own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.errors import OperatorRefusedError
from gateway.logs import MASK, scrub
from gateway.ops.sessions import LIFETIME, Operator
from tests.gateway.town import NOW, HandClock

TOKEN = "a-token-of-thirty-two-characters"


@pytest.fixture
def operator(clock: HandClock) -> Operator:
    """She who has the token."""
    return Operator(TOKEN, clock)


@pytest.mark.parametrize("wrong", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "☂"])
def test_another_token_opens_nothing(operator: Operator, wrong: str) -> None:
    """However near it is."""
    with pytest.raises(OperatorRefusedError):
        operator.admit(wrong)


def test_a_session_lasts_an_evening(operator: Operator, clock: HandClock) -> None:
    """Twelve hours and not a second more, on every replica that has the token."""
    cookie = operator.admit(TOKEN)
    assert Operator(TOKEN, clock).session(cookie).expires_at == NOW + LIFETIME
    clock.advance(seconds=LIFETIME.total_seconds() - 1)
    operator.session(cookie)
    clock.advance(seconds=1)
    with pytest.raises(OperatorRefusedError, match="over"):
        operator.session(cookie)


def test_a_changed_cookie_is_refused(operator: Operator) -> None:
    """Each character counts: nobody makes a session longer."""
    cookie = operator.admit(TOKEN)
    for at in range(len(cookie)):
        changed = cookie[:at] + ("0" if cookie[at] != "0" else "1") + cookie[at + 1 :]
        with pytest.raises(OperatorRefusedError):
            operator.session(changed)
    for wrong in (None, "", "o1~~", "x" * 5000, cookie + "a", cookie[:-1], "o1~☂~☂"):
        with pytest.raises(OperatorRefusedError):
            operator.session(wrong)


def test_a_new_token_ends_all_sessions(operator: Operator, clock: HandClock) -> None:
    """Its key comes from the token."""
    with pytest.raises(OperatorRefusedError):
        Operator(f"{TOKEN}-2", clock).session(operator.admit(TOKEN))


def test_a_form_belongs_to_its_session(operator: Operator, clock: HandClock) -> None:
    """Another session's token is refused, and it is not what signs the cookie."""
    cookie = operator.admit(TOKEN)
    one, other = operator.session(cookie), operator.session(operator.admit(TOKEN))
    operator.check_form(one, one.form_token)
    for wrong in (other.form_token, "", "☂", one.form_token[:-1]):
        with pytest.raises(OperatorRefusedError):
            operator.check_form(one, wrong)
    assert one.form_token not in cookie
    assert timedelta(0) < one.expires_at - clock()


def test_a_cookie_never_stands_in_a_log(operator: Operator) -> None:
    """The second fence of the log masks it, wherever it comes from."""
    cookie = operator.admit(TOKEN)
    (shown,) = scrub(None, "", {"text": f"Cookie: tell-ops={cookie}; x"}).values()
    assert MASK in shown
    assert cookie.rpartition("~")[2] not in shown
