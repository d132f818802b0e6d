/** Every bound of a search, by name. Beyond one of them a search is refused (`too-costly`), never cut short silently. */
export const searchLimits = {
  parametersMax: 30,
  /** Values joined by commas in one parameter. */
  orValuesMax: 200,
  /** Index keys that one criterion may become: an id without type stands for one key per type it may have. */
  keysMax: 4000,
  valueCharactersMax: 4000,
  /** References followed in one parameter, forward (`subject.organization.name`) or backward (`_has`). */
  chainDepthMax: 3,
  /** Brackets within brackets, and conditions, of one `_filter`. */
  filterDepthMax: 10,
  filterTestsMax: 50,
  sortsMax: 4,
  includesMax: 10,
  elementsMax: 100,
  typesMax: 50,
  /** Folded text is indexed up to here; a longer search text is refused, and `:contains` does not see beyond. */
  stringCharactersMax: 200,
  /** Of `_text` and `_content`. */
  wordsMax: 20,
  cursorCharactersMax: 2000,
} as const;
