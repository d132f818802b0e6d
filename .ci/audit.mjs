// Reads what `npm audit --json` says. Ends with 1 for a known weakness of severity high or critical in what is shipped; where the
// registry did not answer, which is no fault of the code, it says so and ends with 0.
let text = '';
for await (const part of process.stdin) text += part;
let report;
try {
  report = JSON.parse(text);
} catch {
  report = {};
}
const counts = report.metadata?.vulnerabilities;
if (counts === undefined) {
  console.log('npm audit left out: the registry did not answer');
} else {
  console.log(
    `npm audit: ${counts.critical} critical, ${counts.high} high, ${counts.moderate} moderate, ${counts.low} low`,
  );
  const grave = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) =>
    /^(high|critical)$/.test(severity),
  );
  for (const { name, severity, range } of grave) console.log(`  ${severity}: ${name} ${range}`);
  process.exitCode = counts.critical + counts.high > 0 ? 1 : 0;
}
