/** What is used of the UCUM library, which has no types. */
declare module '@lhncbc/ucum-lhc' {
  interface BaseUnits {
    readonly status: 'succeeded' | 'failed' | 'invalid' | 'error';
    readonly magnitude?: number;
    readonly unitToExp?: Readonly<Record<string, number>>;
    readonly fromUnitIsSpecial?: boolean;
  }
  const ucumPackage: {
    readonly UcumLhcUtils: { getInstance(): { convertToBaseUnits(code: string, value: number): BaseUnits } };
  };
  // eslint-disable-next-line no-restricted-syntax -- the package is CommonJS
  export default ucumPackage;
}
