/**
 * Every text that an outcome of this server can have, found in the sources by the TypeScript compiler: the message of each Problem and
 * the text of each Issue that is written without its own French, followed back through parameters, constants, conditions, tables and
 * calls to the literals that they come from. A part that varies stands as `{}`.
 */
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface SourceText {
  readonly text: string;
  /** `src/folder/file.ts:line` of the literal. */
  readonly place: string;
}

export interface SourceTexts {
  readonly texts: readonly SourceText[];
  /** Every literal of the sources but those of the tables of languages. */
  readonly literals: readonly string[];
  /** Expressions that lead to no literal. */
  readonly unknown: readonly SourceText[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const stepsMax = 40;
/** Values that a part of a template may have before it counts as one that varies. */
const valuesMax = 12;
const hole = '{}';
/** What stands beside the text in an issue, or in what becomes one. */
const marks = ['severity', 'expression', 'code', 'at'];

export function findOutcomeTexts(): SourceTexts {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(root, 'src', name));
  // Names are resolved, types are not asked for: no libraries are read.
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    noLib: true,
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
  });
  const own = program.getSourceFiles().filter(({ fileName }) => files.includes(fileName));
  return new Finder(program.getTypeChecker(), own).find();
}

interface Call {
  readonly given: readonly ts.Expression[];
  readonly folder: string;
}

/** Texts that an expression can have; undefined among them: one that leads to no literal. */
type Texts = ReadonlySet<string | undefined>;

class Finder {
  private readonly texts = new Map<string, SourceText>();
  private readonly unknown = new Map<string, SourceText>();
  private readonly calls = new Map<ts.Symbol, Call[]>();
  /** Calls of functions that were handed on as parameters, by their names. */
  private readonly callsByName = new Map<string, Call[]>();
  private readonly members = new Map<string, ts.Expression[]>();
  private readonly literals = new Set<string>();
  private readonly known = new Map<ts.Node, Texts>();
  private readonly checker: ts.TypeChecker;
  private readonly files: readonly ts.SourceFile[];

  constructor(checker: ts.TypeChecker, files: readonly ts.SourceFile[]) {
    this.checker = checker;
    this.files = files;
  }

  find(): SourceTexts {
    for (const file of this.files) eachNode(file, (node) => this.note(node));
    for (const file of this.files) eachNode(file, (node) => this.takeRoot(node));
    return { texts: [...this.texts.values()], literals: [...this.literals], unknown: [...this.unknown.values()] };
  }

  private note(node: ts.Node): void {
    const literal = literalOf(node);
    if (literal !== undefined && !isTable.test(node.getSourceFile().fileName)) this.literals.add(literal);
    if (ts.isPropertyAssignment(node)) {
      put(this.members, `${folderOf(node)} ${node.name.getText()}`, node.initializer);
    }
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
    const symbol = this.symbolOf(node.expression);
    if (symbol === undefined) return;
    const call = { given: node.arguments, folder: folderOf(node) };
    const { valueDeclaration } = symbol;
    if (valueDeclaration && (ts.isParameter(valueDeclaration) || ts.isBindingElement(valueDeclaration)))
      put(this.callsByName, symbol.name, call);
    else put(this.calls, symbol, call);
  }

  private takeRoot(node: ts.Node): void {
    if (ts.isNewExpression(node) && node.expression.getText() === 'Problem') {
      const [, message, detail] = node.arguments ?? [];
      if (message !== undefined && !namesIssues(detail)) this.take(message);
    }
    if (ts.isObjectLiteralExpression(node)) this.takeIssue(node);
  }

  /** An Issue, or the start of one: what it is and a text in one object, without French of its own. */
  private takeIssue(node: ts.ObjectLiteralExpression): void {
    const named = new Map(
      node.properties.flatMap((one) => (one.name === undefined ? [] : [[one.name.getText(), one]])),
    );
    const text = named.get('text');
    if (text === undefined || named.has('french') || !marks.some((one) => named.has(one))) return;
    if (ts.isPropertyAssignment(text)) this.take(text.initializer);
    else if (ts.isShorthandPropertyAssignment(text)) this.take(text.name);
  }

  private take(node: ts.Expression): void {
    const place = placeOf(node);
    for (const text of this.textsOf(node, 0)) {
      if (text === undefined || /^[\W\d]*$/.test(text.replaceAll(hole, '')))
        this.unknown.set(place, { text: node.getText().replace(/\s+/g, ' '), place });
      else this.keep(text, place);
    }
  }

  private textsOf(node: ts.Expression, steps: number): Texts {
    const known = this.known.get(node);
    if (known !== undefined) return known;
    // A value that leads back to itself adds nothing.
    this.known.set(node, new Set());
    const found = steps > stepsMax ? new Set([undefined]) : this.compute(node, steps + 1);
    this.known.set(node, found);
    return found;
  }

  private compute(node: ts.Expression, steps: number): Texts {
    if (ts.isStringLiteralLike(node)) return new Set([node.text]);
    if (ts.isTemplateExpression(node)) {
      return this.textsOfTemplate(node, steps);
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
      return joined(joined(new Set(['']), this.valuesOf(node.left, steps), ''), this.valuesOf(node.right, steps), '');
    const parts = this.partsOf(node) ?? this.behindName(node);
    if (parts === undefined) return new Set([undefined]);
    return new Set(parts.flatMap((part) => [...this.textsOf(part, steps)]));
  }

  /** What ends a template behind a colon is a text of its own. */
  private textsOfTemplate({ head, templateSpans }: ts.TemplateExpression, steps: number): Texts {
    let found: Texts = new Set([head.text]);
    let before = head.text;
    for (const { expression, literal } of templateSpans) {
      const isOwn = before.endsWith(': ') && literal.text === '';
      if (isOwn) this.takeOwn(expression, steps);
      found = joined(found, isOwn ? new Set([hole]) : this.valuesOf(expression, steps), literal.text);
      before = literal.text;
    }
    return found;
  }

  private takeOwn(node: ts.Expression, steps: number): void {
    const place = placeOf(node);
    for (const text of this.textsOf(node, steps))
      if (text !== undefined && /\p{L} \p{L}/u.test(text)) this.keep(text, place);
  }

  private keep(text: string, place: string): void {
    if (!this.texts.has(text)) this.texts.set(text, { text, place });
  }

  /** A part of a text: the few values that it can have, or a hole. */
  private valuesOf(node: ts.Expression, steps: number): Texts {
    const found = this.textsOf(node, steps);
    return found.size === 0 || found.size > valuesMax || found.has(undefined) ? new Set([hole]) : found;
  }

  /** The expressions whose values this one can have; undefined: it is not put together from others. */
  private partsOf(node: ts.Expression): readonly ts.Expression[] | undefined {
    if (node.kind === ts.SyntaxKind.UndefinedKeyword || node.getText() === 'undefined') return [];
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node))
      return [node.expression];
    if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse];
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken)
      return [node.left, node.right];
    if (ts.isCallExpression(node)) return this.returned(node);
    if (ts.isElementAccessExpression(node)) return this.tableOf(node.expression);
    return undefined;
  }

  private returned(node: ts.CallExpression): readonly ts.Expression[] | undefined {
    const body = bodyOf(this.symbolOf(node.expression)?.valueDeclaration);
    if (body === undefined) return undefined;
    return ts.isBlock(body) ? returnsOf(body) : [body];
  }

  /** All values of a table, whatever the key. */
  private tableOf(node: ts.Expression): readonly ts.Expression[] | undefined {
    const declaration = this.symbolOf(node)?.valueDeclaration;
    const table = declaration && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
    if (table === undefined) return undefined;
    const bare = ts.isAsExpression(table) || ts.isSatisfiesExpression(table) ? table.expression : table;
    if (!ts.isObjectLiteralExpression(bare)) return undefined;
    return bare.properties.flatMap((one) => (ts.isPropertyAssignment(one) ? [one.initializer] : []));
  }

  private behindName(node: ts.Expression): readonly ts.Expression[] | undefined {
    if (ts.isPropertyAccessExpression(node)) return this.behindMember(node, node.name.text);
    if (!ts.isIdentifier(node)) return undefined;
    const declaration = this.symbolOf(node)?.valueDeclaration;
    if (declaration === undefined) return undefined;
    if (ts.isVariableDeclaration(declaration)) return declaration.initializer && [declaration.initializer];
    if (ts.isParameter(declaration)) return this.argumentsOf(declaration);
    return ts.isBindingElement(declaration) ? this.behindMember(node, node.text) : undefined;
  }

  /** The text or message of an issue was found where that was made; another member has what its folder gives to it. */
  private behindMember(node: ts.Node, name: string): readonly ts.Expression[] | undefined {
    return ['text', 'message'].includes(name) ? [] : this.members.get(`${folderOf(node)} ${name}`);
  }

  private argumentsOf(parameter: ts.ParameterDeclaration): readonly ts.Expression[] | undefined {
    const owner = parameter.parent;
    const named = ts.isArrowFunction(owner) || ts.isFunctionExpression(owner) ? owner.parent : owner;
    const name = (named as Partial<ts.NamedDeclaration>).name;
    const symbol = name && this.checker.getSymbolAtLocation(name);
    if (symbol === undefined) return undefined;
    const folder = folderOf(parameter);
    const handedOn = (this.callsByName.get(symbol.name) ?? []).filter((call) => call.folder === folder);
    const calls = [...(this.calls.get(symbol) ?? []), ...handedOn];
    const place = owner.parameters.indexOf(parameter);
    return calls.length === 0 ? undefined : calls.flatMap(({ given }) => given[place] ?? []);
  }

  private symbolOf(node: ts.Node): ts.Symbol | undefined {
    const shorthand = ts.isShorthandPropertyAssignment(node.parent)
      ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
      : undefined;
    const symbol = shorthand ?? this.checker.getSymbolAtLocation(node);
    if (symbol === undefined) return undefined;
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }
}

function put<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function joined(before: Texts, values: Texts, behind: string): Texts {
  const inserted = before.size * values.size > valuesMax ? [hole] : [...values];
  return new Set([...before].flatMap((text) => inserted.map((value) => `${text ?? hole}${value ?? hole}${behind}`)));
}

function folderOf(node: ts.Node): string {
  return dirname(node.getSourceFile().fileName);
}

const isTable = /\/src\/http\/(?:french[\w-]*|letter-texts)\.ts$/;

function literalOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `${hole}${literal.text}`).join('');
}

/** Where the issues are given, the message is for the log alone. */
function namesIssues(detail: ts.Expression | undefined): boolean {
  if (detail === undefined || !ts.isObjectLiteralExpression(detail)) return false;
  return detail.properties.some((one) => one.name?.getText() === 'issues');
}

function bodyOf(declaration: ts.Declaration | undefined): ts.ConciseBody | undefined {
  if (declaration === undefined) return undefined;
  if (ts.isFunctionDeclaration(declaration)) return declaration.body;
  const value = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  return value !== undefined && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) ? value.body : undefined;
}

function returnsOf(body: ts.Node): readonly ts.Expression[] {
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) && node.expression !== undefined) found.push(node.expression);
    ts.forEachChild(node, visit);
  };
  visit(body);
  return found;
}

function eachNode(node: ts.Node, take: (node: ts.Node) => void): void {
  take(node);
  ts.forEachChild(node, (child) => eachNode(child, take));
}

function placeOf(node: ts.Node): string {
  const file = node.getSourceFile();
  return `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}
