// The parts of what is shipped, from those of everything: `npm sbom --omit dev` would leave out what a tool of the tests needs as well.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let text = '';
for await (const part of process.stdin) text += part;
const sbom = JSON.parse(text);
/** Name@version of everything that the shipped part of the lock file holds. */
const shipped = new Set(
  Object.entries(packages).flatMap(([path, { name, version, dev }]) =>
    dev === true ? [] : [`${name ?? path.split('node_modules/').at(-1)}@${version}`],
  ),
);
const isShipped = ({ group, name, version }) =>
  shipped.has(`${group === undefined ? '' : `${group}/`}${name}@${version}`);
const dropped = new Set(sbom.components.filter((one) => !isShipped(one)).map((one) => one['bom-ref']));
const kept = (refs) => refs.filter((ref) => !dropped.has(ref));
const dependencies = sbom.dependencies
  .filter(({ ref }) => !dropped.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: kept(dependsOn) }));
console.log(JSON.stringify({ ...sbom, components: sbom.components.filter(isShipped), dependencies }, null, 1));
