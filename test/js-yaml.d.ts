/** The package has no types of its own. */
declare module 'js-yaml' {
  const jsYaml: { load(text: string): unknown };
  export default jsYaml;
}
