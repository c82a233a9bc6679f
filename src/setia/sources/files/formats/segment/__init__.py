"""Events of visitors: calls of the Segment specification, and the event export of Google Analytics 4.

Documented by Segment's page on the common fields of all calls (`type`, `messageId`, `userId`, `anonymousId`, `context`,
`timestamp`, `originalTimestamp`, `sentAt`, `receivedAt`, and `event`, `name`, `properties`, `traits` by type) and its
schema of warehouses (`id`, `event`, `event_text`, `anonymous_id`, `user_id`, `received_at` …); by Google's schema of
the BigQuery export (`event_date`, `event_timestamp` in microseconds, `event_name`, `event_params`, `user_id`,
`user_pseudo_id`, `event_bundle_sequence_id` …). JSON Lines, JSON or tables; GA4's recommended events get the names of
the Segment specification (`view_item` is `Product Viewed`).

Inferred: that a person is the user's key, else the address that a call names; that calls without a user are those of
the one user who had the same anonymous id in the same file, if there was but one. Page and screen calls become `Page
Viewed` and `Screen Viewed`; identify calls make customers and no events; group and alias calls are left out.
"""

from __future__ import annotations

from setia.sources.files.formats.segment.analytics import GA4
from setia.sources.files.formats.segment.calls import CALLS, TRACKS

LAYOUTS = (CALLS, TRACKS, GA4)
