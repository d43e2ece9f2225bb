#!/usr/bin/env bash
# Takes cmkwarden out of Azure again. Without --yes it only says what it would do; docs/deploy.md lists the same.
#
#   infra/uninstall.sh --subscription ID [--subscription ID ...] [--group rg-cmkwarden] [--topics rg-cmkwarden-events]
#                      [--client CLIENT_ID] [--settings] [--yes]
#
#   --subscription  each subscription that is looked after; the first one holds the app
#   --client        the app registration goes as well
#   --settings      the diagnostic settings `cmkwarden-audit` go as well: the audit logs of those vaults then end
#
# Where something cannot be listed or deleted it stops, and can be run again.
#
# What stays, whatever is said: keys, vaults, workspaces, and the narrow roles that the writer gave to the services that use
# the keys. Without them the workspaces would stand still.
set -euo pipefail

subscriptions=() group=rg-cmkwarden topics=rg-cmkwarden-events client='' settings=no yes=no
usage() { sed -n '2,14p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --subscription) subscriptions+=("${2:?}"); shift ;;
    --group) group=${2:?}; shift ;;
    --topics) topics=${2:?}; shift ;;
    --client) client=${2:?}; shift ;;
    --settings) settings=yes ;;
    --yes) yes=yes ;;
    *) usage ;;
  esac
  shift
done
[ ${#subscriptions[@]} -gt 0 ] || usage
home=${subscriptions[0]}

say() { printf '%s\n' "$*"; }
run() { if [ $yes = yes ]; then say "+ $*"; "$@"; else say "would: $*"; fi; }
# Always `list=$(ids ...)` first, and never `for x in $(ids ...)`: there a list that fails counts as an empty one, and the
# script goes on to delete the identities whose assignments it has not seen.
ids() { az "$@" --output tsv; }

say "# 1. event subscriptions: nothing more comes in"
for subscription in "${subscriptions[@]}"; do
  found=$(ids eventgrid system-topic list --subscription "$subscription" --query '[].id')
  for topic in $found; do
    name=${topic##*/}
    rest=${topic%/providers/*}
    holder=${rest##*/}
    events=$(ids eventgrid system-topic event-subscription list --subscription "$subscription" \
      --resource-group "$holder" --system-topic-name "$name" --query "[?starts_with(name, 'cmkwarden-')].name")
    for event in $events; do
      run az eventgrid system-topic event-subscription delete --subscription "$subscription" --resource-group "$holder" \
        --system-topic-name "$name" --name "$event" --yes
    done
    # A topic that was there before us has another name, and stays.
    case $name in cmkwarden-*)
      run az eventgrid system-topic delete --subscription "$subscription" --resource-group "$holder" --name "$name" --yes ;;
    esac
  done
done

say "# 2. what our identities may do: before the identities, or the assignments stay behind without a name"
is_there=$(ids group exists --subscription "$home" --name "$group")
principals=''
if [ "$is_there" = true ]; then
  principals=$(ids identity list --subscription "$home" --resource-group "$group" --query '[].principalId')
fi
for principal in $principals; do
  for subscription in "${subscriptions[@]}"; do
    assignments=$(ids role assignment list --subscription "$subscription" --all --assignee "$principal" --query '[].id')
    for assignment in $assignments; do
      run az role assignment delete --ids "$assignment"
    done
  done
done

say "# 3. the custom roles. Azure keeps one that somebody still holds: 'cmkwarden Key User' is held by services"
for role in 'cmkwarden Reader' 'cmkwarden Writer' 'cmkwarden Grants' 'cmkwarden Linked'; do
  run az role definition delete --name "$role" --subscription "$home" || say "kept: $role is held in a subscription that was not named"
done
holders=$(ids role assignment list --subscription "$home" --all --query "[?roleDefinitionName=='cmkwarden Key User'].id")
if [ -z "$holders" ]; then
  run az role definition delete --name 'cmkwarden Key User' --subscription "$home" || say "kept: held in another subscription"
else
  say "kept: cmkwarden Key User, which services hold at their keys"
fi

say "# 4. policies: assignments before what they assign"
for subscription in "${subscriptions[@]}"; do
  ours="starts_with(name, 'cmkwarden') && starts_with(id, '/subscriptions/$subscription/')"
  names=$(ids policy assignment list --subscription "$subscription" --query "[?$ours].name")
  for name in $names; do
    run az policy assignment delete --name "$name" --scope "/subscriptions/$subscription"
  done
  names=$(ids policy set-definition list --subscription "$subscription" --query "[?$ours].name")
  for name in $names; do
    run az policy set-definition delete --subscription "$subscription" --name "$name"
  done
  names=$(ids policy definition list --subscription "$subscription" --query "[?$ours].name")
  for name in $names; do
    run az policy definition delete --subscription "$subscription" --name "$name"
  done
done

say "# 5. resource groups: apps, plans, identities, storage with all records, logs, alerts, budget"
for subscription in "${subscriptions[@]}"; do
  is_there=$(ids group exists --subscription "$subscription" --name "$topics")
  if [ "$is_there" = true ]; then
    run az group delete --subscription "$subscription" --name "$topics" --yes
  fi
done
is_there=$(ids group exists --subscription "$home" --name "$group")
if [ "$is_there" = true ]; then
  run az group delete --subscription "$home" --name "$group" --yes
fi

say "# 6. what the app itself made in vaults, at run time"
for subscription in "${subscriptions[@]}"; do
  vaults=$(ids keyvault list --subscription "$subscription" --query '[].id')
  for vault in $vaults; do
    held=$(ids monitor diagnostic-settings list --resource "$vault" --query "[?name=='cmkwarden-audit'].id")
    if [ -n "$held" ]; then
      if [ $settings = yes ]; then
        run az monitor diagnostic-settings delete --resource "$vault" --name cmkwarden-audit
      else
        say "kept: diagnostic setting cmkwarden-audit of $vault (--settings takes it away)"
      fi
    fi
  done
done

if [ -n "$client" ]; then
  say "# 7. the app registration"
  run az ad app delete --id "$client"
fi
if [ $yes = no ]; then say "Nothing was changed. Again with --yes."; fi
