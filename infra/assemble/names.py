"""What the parts of the app are called in Azure, as expressions: one place, so that no two templates disagree."""

# Either of the two subnets says that the private mode is meant. With one alone Azure refuses the deployment: better than an
# app on the internet that somebody takes for private.
IS_MEANT_PRIVATE = "not(and(empty(parameters('endpointSubnetId')), empty(parameters('integrationSubnetId'))))"

# Variables of app.json. A storage account has at most 24 letters and digits, and its name is the whole world's.
VARIABLES = {
    "suffix": "[uniqueString(resourceGroup().id)]",
    "short": "[take(toLower(replace(parameters('name'), '-', '')), 9)]",
    "front": "[format('{0}-front-{1}', parameters('name'), variables('suffix'))]",
    "hand": "[format('{0}-hand-{1}', parameters('name'), variables('suffix'))]",
    "stateAccount": "[format('{0}s{1}', variables('short'), variables('suffix'))]",
    "handAccount": "[format('{0}h{1}', variables('short'), variables('suffix'))]",
    "workspace": "[format('{0}-logs', parameters('name'))]",
    "component": "[format('{0}-insights', parameters('name'))]",
    "private": f"[{IS_MEANT_PRIVATE}]",
}
STATE, HAND_ACCOUNT = "variables('stateAccount')", "variables('handAccount')"
FRONT, HAND = "variables('front')", "variables('hand')"
WORKSPACE, COMPONENT = "variables('workspace')", "variables('component')"
IS_PRIVATE = "variables('private')"

# What the code opens by these names; tests/infra/test_closed_loop.py compares them with it, in both directions.
QUEUES = ("wake", "evaluate", "apply", "notify", "sweep")
POISON = tuple(f"{queue}-poison" for queue in QUEUES)
TABLES = ("answers", "estate", "figures", "ledger", "poison", "pulse", "remediations", "surveys", "targets", "tickets")
DEAD_LETTERS = "dead-letters"
PACKAGE = "package"
