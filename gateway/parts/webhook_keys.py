"""The partners' webhook keys: files of before are taken in, then the database is read on and on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from catalog.keys.live_keys import LiveKeys
from catalog.keys.webhook_keys import KeyStore
from gateway.keys import CLOCK, DATABASE, SECRETS, SETTINGS, WEBHOOK_KEYS

log = structlog.get_logger(__name__)


async def webhook_keys(app: web.Application) -> AsyncIterator[None]:
    """Run the keys; raises DatabaseError, MasterKeyError."""
    secrets, partners = app[SECRETS], app[SETTINGS].partners
    store = KeyStore(app[DATABASE], secrets.master, app[CLOCK])
    for environment, found in secrets.webhooks.items():
        for name in await store.import_secrets(environment, found):
            log.info("webhook_key_imported", environment=environment, key=name)
    app[WEBHOOK_KEYS] = keys = LiveKeys(
        store, {environment: partner.key_id for environment, partner in partners.items()}
    )
    await keys.start()
    for environment in keys.without_keys(app[CLOCK]()):
        mend = f"tell keys new {environment}"
        log.warning("no_webhook_key", environment=environment, mend=mend)
    yield
    await keys.stop()
