"""A budget for the resource group: people hear of costs before the bill does."""

from infra.assemble.arm import Json, guarded, resource

_WARNINGS = (("Actual", 80), ("Actual", 100), ("Forecasted", 120))  # percent of the amount


def resources() -> list[Json]:
    """Return the budget, which is made only where there is an amount and somebody to tell."""
    is_wanted = "and(greater(parameters('budgetAmount'), 0), not(empty(parameters('mails'))))"
    return [
        resource(
            "Microsoft.Consumption/budgets",
            "[format('{0}-budget', parameters('name'))]",
            **guarded(
                is_wanted,
                {
                    "properties": {
                        "category": "Cost",
                        "amount": "[parameters('budgetAmount')]",
                        "timeGrain": "Monthly",
                        "timePeriod": {"startDate": "[parameters('budgetStart')]"},
                        "notifications": {f"{kind}_{percent}": _warning(kind, percent) for kind, percent in _WARNINGS},
                    }
                },
            ),
        )
    ]


def _warning(kind: str, percent: int) -> Json:
    return {
        "enabled": True,
        "operator": "GreaterThanOrEqualTo",
        "threshold": percent,
        "thresholdType": kind,
        "contactEmails": "[parameters('mails')]",
    }
