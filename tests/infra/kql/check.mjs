// Reads {"tables": {name: {column: type}}, "queries": {name: text}} and writes {name: ["line:column message", ...]}.
// Whatever the official parser or binder has to say of a query counts, warnings too.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const { tables, queries } = JSON.parse(await text(process.stdin));
const known = Object.entries(tables).map(([name, columns]) => {
  const schema = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`).join(", ");
  return new Symbols.TableSymbol.$ctor7(name, `(${schema})`, null);
});
const database = new Symbols.DatabaseSymbol.$ctor1("logs", known, false);
const globals = GlobalState.Default.WithDatabase(database);

function problems(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const found = code.GetDiagnostics();
  return Array.from({ length: found.Count }, (_, at) => {
    const it = found.getItem(at);
    const before = query.slice(0, it.Start).split("\n");
    return `${before.length}:${before.at(-1).length + 1} ${it.Message}`;
  });
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(queries).map(([name, it]) => [name, problems(it)]))));
