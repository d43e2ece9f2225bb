"""Prints what the judges that are quick find in every template: `python -m tests.infra.judges [NAME...]`."""

import sys

from tests.infra.judges.cases import assembled, cases, expanded
from tests.infra.judges.lint import lint
from tests.infra.judges.needs import needs
from tests.infra.judges.schemas import schemas

for case in cases():
    if not sys.argv[1:] or case.template in sys.argv[1:]:
        expansion = expanded(case)
        found = [*expansion.complaints, *lint(assembled(case.template)), *needs(expansion), *schemas(expansion)]
        sys.stdout.write(f"{case}: {len(list(expansion.resources))} resources, {len(found)} complaints\n")
        sys.stdout.writelines(f"    {complaint}\n" for complaint in found)
