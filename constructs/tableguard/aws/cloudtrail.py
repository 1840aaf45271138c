"""Every CloudTrail action: what it is for, what it can do to the record of who did what, which resource it goes to.

"Items" are recorded events. Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and
condition keys for AWS CloudTrail") and the CloudTrail user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "cloudtrail"

_REVEALS, _CHANGES, _MOVES = Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS, Effect.MOVES_ITEMS_OUT
_ACCESS, _PROTECTION, _NOTHING = Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, Effect.HARMLESS
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    # A query may write its results to a bucket that the caller names.
    *_actions("StartQuery", Category.READ, _REVEALS, _MOVES, on="eventdatastore"),
    *_actions("DescribeQuery GenerateQueryResultsSummary GetEventDataStoreData GetQueryResults",
              Category.READ, _REVEALS, on="eventdatastore"),
    *_actions("ListInsightsData", Category.READ, _REVEALS, on="trail"),
    *_actions("LookupEvents", Category.READ, _REVEALS),
    # The API has it, the reference does not: its resource is open.
    *_actions("ListInsightsMetricData", Category.READ, _REVEALS),
    # Opens an event data store to whoever reads its table of Glue.
    *_actions("EnableFederation", Category.EXPORT, _REVEALS, _MOVES, on="eventdatastore"),
    # What is not recorded cannot be looked up later. A channel brings events of others.
    *_actions("DeleteChannel", Category.DELETE, _PROTECTION, on="channel"),
    *_actions("DeleteTrail", Category.DELETE, _PROTECTION, on="trail"),
    *_actions("DeleteEventDataStore", Category.DELETE, _CHANGES, _PROTECTION, on="eventdatastore"),
    *_actions("PutEventConfiguration PutInsightSelectors", Category.SETTINGS, _PROTECTION, on="eventdatastore trail"),
    *_actions("PutEventSelectors StopLogging UpdateTrail", Category.SETTINGS, _PROTECTION, on="trail"),
    *_actions("StopEventDataStoreIngestion UpdateEventDataStore", Category.SETTINGS, _PROTECTION, on="eventdatastore"),
    *_actions("UpdateChannel", Category.SETTINGS, _PROTECTION, on="channel"),
    *_actions("DeleteResourcePolicy PutResourcePolicy",
              Category.POLICY, _ACCESS, on="channel dashboard eventdatastore"),
    # Ways back, and events of old trails.
    *_actions("RestoreEventDataStore StartEventDataStoreIngestion", Category.RESTORE, _NOTHING, on="eventdatastore"),
    *_actions("StartLogging", Category.RESTORE, _NOTHING, on="trail"),
    *_actions("StartImport", Category.RESTORE, _CHANGES),
    *_actions("StopImport", Category.RESTORE, _NOTHING),
    # What was not there records nothing less.
    *_actions("CreateChannel", Category.OTHER, _NOTHING, on="channel eventdatastore", on_all=True),
    *_actions("CreateEventDataStore", Category.OTHER, _NOTHING, on="eventdatastore"),
    *_actions("CreateTrail", Category.OTHER, _NOTHING, on="trail"),
    # Channels of services, which they make and remove themselves.
    *_actions("CreateServiceLinkedChannel GetServiceLinkedChannel", Category.OTHER, _NOTHING, on="channel"),
    *_actions("ListServiceLinkedChannels", Category.OTHER, _NOTHING),
    *_actions("DeleteServiceLinkedChannel UpdateServiceLinkedChannel", Category.OTHER, _PROTECTION, on="channel"),
    # For the management account to say.
    *_actions("DeregisterOrganizationDelegatedAdmin RegisterOrganizationDelegatedAdmin", Category.OTHER, _ACCESS),
    # They show what is recorded, or end that, and keep nothing.
    *_actions("CancelQuery DisableFederation GenerateQuery", Category.OTHER, _NOTHING, on="eventdatastore"),
    *_actions("CreateDashboard DeleteDashboard StartDashboardRefresh UpdateDashboard",
              Category.OTHER, _NOTHING, on="dashboard"),
    *_actions("SearchSampleQueries", Category.OTHER, _NOTHING),
    *_actions("AddTags RemoveTags", Category.TAGS, _ACCESS, on="channel dashboard eventdatastore trail"),
    *_actions("ListTags", Category.TAGS, _NOTHING, on="channel dashboard eventdatastore trail"),
    *_actions("DescribeTrails GetImport ListChannels ListDashboards ListEventDataStores ListImportFailures "
              "ListImports ListPublicKeys ListTrails",
              Category.OTHER, _NOTHING),
    *_actions("GetChannel", Category.OTHER, _NOTHING, on="channel"),
    *_actions("GetDashboard", Category.OTHER, _NOTHING, on="dashboard"),
    *_actions("GetEventConfiguration GetInsightSelectors", Category.OTHER, _NOTHING, on="eventdatastore trail"),
    *_actions("GetEventDataStore ListQueries", Category.OTHER, _NOTHING, on="eventdatastore"),
    *_actions("GetEventSelectors GetTrail GetTrailStatus", Category.OTHER, _NOTHING, on="trail"),
    *_actions("GetResourcePolicy", Category.OTHER, _NOTHING, on="channel dashboard eventdatastore"),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of CloudTrail by its name without the service prefix."""
