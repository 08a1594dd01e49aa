"""The calls of integrations in the API description: they are plain Django, so nobody else describes them."""

from typing import Any

from apps.rounds.reading import MAX_ROUNDS

TAG = "game rounds"
KEY = "integrationKey"


def _text(about: str, longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": about}


AMOUNT = {"type": "number", "minimum": 0, "description": "Major units of the currency; exact, up to 18 decimals."}
ROUND = {
    "type": "object",
    "required": [
        "timestamp", "roundId", "brandId", "playerId", "gameId", "roundType", "currency", "betAmount", "winAmount",
    ],
    "properties": {
        "timestamp": {"type": "string", "description": "ISO 8601; UTC unless it names an offset."},
        "roundId": _text("Unique for the integration; sent again, it is the same round.", 200),
        "brandId": _text("The brand that the player belongs to.", 100),
        "playerId": _text("The brand's id of the player.", 128),
        "gameId": _text("Unique over all providers.", 100),
        "roundType": _text("REGULAR, or a word of your own.", 100),
        "currency": {"type": "string", "minLength": 3, "maxLength": 12},
        "betAmount": AMOUNT,
        "winAmount": AMOUNT,
    },
    "example": {
        "timestamp": "2022-04-30T04:03:10.200Z",
        "roundId": "f9c15be2-7164-11ed-a1eb-0242ac120002",
        "brandId": "superkingz",
        "playerId": "Player-4",
        "gameId": "EVO_ANDAR_BAHAR_1",
        "roundType": "REGULAR",
        "currency": "EUR",
        "betAmount": 2.5,
        "winAmount": 1,
    },
}  # fmt: skip
BRAND = {
    "type": "object",
    "required": ["ref", "name"],
    "properties": {"ref": _text("The brand's id.", 100), "name": _text("Shown to staff.", 200)},
}
GROUP = {
    "type": "object",
    "required": ["ref", "name", "brands"],
    "properties": {
        "ref": _text("The operator's id.", 100),
        "name": _text("Shown to staff.", 200),
        "brands": {"type": "array", "items": {"$ref": "#/components/schemas/PortfolioBrand"}},
    },
}
GAME = {
    "type": "object",
    "required": ["gameId", "displayName", "gameProviderDisplayName", "isEnabled"],
    "properties": {
        "gameId": _text("Unique over all providers.", 100),
        "displayName": _text("Shown to staff and players.", 200),
        "gameProviderDisplayName": _text("Groups games for staff.", 200),
        "isEnabled": {"type": "boolean"},
        "isFreeroundSupported": {"type": "boolean", "nullable": True, "default": False},
        "iconUrl": {"type": "string", "nullable": True, "maxLength": 500, "description": "https only."},
        "enabledBrandRefs": {
            "type": "array",
            "nullable": True,
            "items": _text("A brand's id.", 100),
            "description": "Absent: every brand. Empty: none.",
        },
    },
}
ACTIVE = {
    "type": "object",
    "required": ["gameId", "brandIds"],
    "properties": {"gameId": {"type": "string"}, "brandIds": {"type": "array", "items": {"type": "string"}}},
}
VOID = {
    "type": "object",
    "required": ["roundId", "reason"],
    "properties": {"roundId": _text("The round.", 200), "reason": _text("For staff, and for the records.", 500)},
}
VOIDED = {
    "type": "object",
    "required": ["roundId", "voidedAt", "tournaments", "settledTournamentIds"],
    "properties": {
        "roundId": {"type": "string"},
        "voidedAt": {"type": "string", "format": "date-time"},
        "tournaments": {
            "type": "array",
            "description": "The open boards that it was taken out of.",
            "items": {
                "type": "object",
                "required": ["tournamentId", "pointsBefore", "pointsAfter", "rankBefore", "rankAfter"],
                "properties": {
                    "tournamentId": {"type": "string"},
                    "pointsBefore": {"type": "string"},
                    "pointsAfter": {"type": "string"},
                    "rankBefore": {"type": "integer"},
                    "rankAfter": {"type": "integer"},
                },
            },
        },
        "settledTournamentIds": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Tournaments that it counts in and whose results are fixed.",
        },
    },
}
ERROR = {
    "type": "object",
    "required": ["error", "message", "details"],
    "properties": {
        "error": {"type": "string", "description": "What is wrong, for programs."},
        "message": {"type": "string", "description": "The same, for people."},
        "hint": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "field", "message"],
                "properties": {
                    "index": {"type": "integer", "description": "Which item, from 0."},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
COMPONENTS = {
    "GameRound": ROUND,
    "PortfolioBrand": BRAND,
    "PortfolioOperator": GROUP,
    "PortfolioGame": GAME,
    "ActiveGame": ACTIVE,
    "VoidRound": VOID,
    "VoidedRound": VOIDED,
    "RoundsError": ERROR,
}
ERRORS = {
    "400": "Not acceptable; nothing was taken. Don't send it again as it is.",
    "401": "The key is missing, unknown, or another integration's",
    "403": "Not from this address, or not by HTTPS",
    "404": "There is nothing at this address",
    "405": "Method not allowed",
    "413": "Body too large",
    "500": "Server error; send it again later",
    "503": "Too busy, or the database is away; send it again after Retry-After seconds",
}


def _list_of(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}, **more}


def _call(operation_id: str, summary: str, answers: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/RoundsError"}}}
    described: dict[str, Any] = {
        "operationId": operation_id,
        "summary": summary,
        "tags": [TAG],
        "security": [{KEY: []}],
        "parameters": [
            {
                "in": "path",
                "name": "INTEGRATION_ID",
                "required": True,
                "schema": {"type": "string"},
                "description": "The name that your key was issued for.",
            }
        ],
        "responses": answers | {status: {"description": text, "content": refused} for status, text in ERRORS.items()},
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return described


def _done(text: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema or {"type": "object"}}}}


TAKEN = {
    "200": _done("Well formed, but no tournament counts it. Final."),
    "202": _done("Accepted: at least one round counts for a tournament. Final."),
}
PATHS = {
    "/gamerounds/{INTEGRATION_ID}/single": {
        "post": _call("gamerounds_single", "Send one round", TAKEN, {"$ref": "#/components/schemas/GameRound"})
    },
    "/gamerounds/{INTEGRATION_ID}/batch": {
        "post": _call(
            "gamerounds_batch", "Send up to 100 rounds: all or none", TAKEN, _list_of("GameRound", maxItems=MAX_ROUNDS)
        )
    },
    "/gamerounds/{INTEGRATION_ID}/void": {
        "post": _call(
            "gamerounds_void",
            "Take a round out of every open board, for good",
            {
                "200": _done("Taken out", {"$ref": "#/components/schemas/VoidedRound"}),
                "409": {
                    "description": "Recorded, but it counts only where results are fixed",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RoundsError"}}},
                },
            },
            {"$ref": "#/components/schemas/VoidRound"},
        )
    },
    "/external/{INTEGRATION_ID}/sync-operators-and-brands": {
        "post": _call(
            "external_sync_operators_and_brands",
            "Send all operators and brands; those that are missing are disabled",
            {"200": _done("Done")},
            _list_of("PortfolioOperator", minItems=1),
        )
    },
    "/external/{INTEGRATION_ID}/sync-games": {
        "post": _call(
            "external_sync_games",
            "Send all games; those that are missing are disabled",
            {"200": _done("Done")},
            _list_of("PortfolioGame", minItems=1),
        )
    },
    "/external/{INTEGRATION_ID}/active-games": {
        "get": _call(
            "external_active_games",
            "The games that tournaments count, now or soon, and on which brands",
            {"200": _done("May be kept for a minute", _list_of("ActiveGame"))},
            None,
        )
    },
}


def with_rounds(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the calls of integrations to the description."""
    result.setdefault("paths", {}).update(PATHS)
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(COMPONENTS)
    components.setdefault("securitySchemes", {})[KEY] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An integration's key.",
    }
    return result
