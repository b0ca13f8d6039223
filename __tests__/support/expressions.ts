/** GitHub's expressions, as far as the examples use them; whatever else there is in one is an error. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

export interface Scope {
  /** `secrets`, `steps` and so on. */
  contexts: { [name: string]: Value };
  /** Whether everything before has succeeded. */
  succeeded: boolean;
}

const TOKEN = /\s*(?:'((?:[^']|'')*)'|(\d+(?:\.\d+)?)|([A-Za-z_][\w-]*)|(==|!=|&&|\|\||>=|<=|[!()[\].,<>]))/y;
const STATUS_FUNCTIONS = /\b(always|success|failure|cancelled)\s*\(/;

/** @returns `text` with every `${{ }}` in it evaluated. */
export function interpolate(text: string, scope: Scope): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => asText(evaluate(expression, scope)));
}

/** @returns whether a step or a job runs: nothing said, or said without a function of the status, it does after success alone. */
export function isMet(condition: string | undefined, scope: Scope): boolean {
  if (condition === undefined) return scope.succeeded;
  const expression = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(condition)?.[1] ?? condition;
  if (!STATUS_FUNCTIONS.test(expression) && !scope.succeeded) return false;
  return isTrue(evaluate(expression, scope));
}

export function evaluate(expression: string, scope: Scope): Value {
  const parser = new Parser(expression, scope);
  const value = parser.or();
  parser.end();
  return value;
}

type Token = { kind: 'text' | 'number' | 'name' | 'sign' | 'end'; value: string };

class Parser {
  readonly #tokens: Token[];
  readonly #scope: Scope;
  readonly #expression: string;

  constructor(expression: string, scope: Scope) {
    this.#expression = expression;
    this.#scope = scope;
    this.#tokens = tokens(expression);
  }

  or(): Value {
    let value = this.#and();
    while (this.#take('||')) {
      const other = this.#and();
      value = isTrue(value) ? value : other;
    }
    return value;
  }

  end(): void {
    if (this.#next().kind !== 'end') this.#fail();
  }

  #and(): Value {
    let value = this.#comparison();
    while (this.#take('&&')) {
      const other = this.#comparison();
      value = isTrue(value) ? other : value;
    }
    return value;
  }

  #comparison(): Value {
    const left = this.#unary();
    const { kind, value: sign } = this.#next();
    if (kind !== 'sign' || !['==', '!=', '<', '>', '<=', '>='].includes(sign)) return left;
    this.#tokens.shift();
    return compare(left, sign, this.#unary());
  }

  #unary(): Value {
    return this.#take('!') ? !isTrue(this.#unary()) : this.#primary();
  }

  #primary(): Value {
    const { kind, value } = this.#tokens.shift() ?? { kind: 'end', value: '' };
    if (kind === 'text') return value.replaceAll("''", "'");
    if (kind === 'number') return Number(value);
    if (value === '(') {
      const inner = this.or();
      this.#expect(')');
      return inner;
    }
    if (kind !== 'name') return this.#fail();
    if (value === 'true' || value === 'false') return value === 'true';
    if (value === 'null') return null;
    if (this.#take('(')) return this.#properties(this.#call(value));
    if (!Object.hasOwn(this.#scope.contexts, value)) return this.#fail(`there is no context ${value}`);
    return this.#properties(this.#scope.contexts[value] ?? null);
  }

  #properties(start: Value): Value {
    let value = start;
    for (;;) {
      if (this.#take('.')) value = property(value, this.#tokens.shift()?.value ?? '');
      else if (this.#take('[')) {
        value = property(value, asText(this.or()));
        this.#expect(']');
      } else return value;
    }
  }

  #call(name: string): Value {
    const args: Value[] = [];
    if (!this.#take(')')) {
      do args.push(this.or());
      while (this.#take(','));
      this.#expect(')');
    }
    switch (name) {
      case 'always':
        return true;
      case 'success':
        return this.#scope.succeeded;
      case 'cancelled':
        return false;
      case 'failure':
        return !this.#scope.succeeded;
      case 'toJSON':
        return JSON.stringify(args[0], null, 2);
      case 'fromJSON':
        return JSON.parse(asText(args[0] ?? null)) as Value;
      default:
        return this.#fail(`the function ${name} is not known here`);
    }
  }

  #next(): Token {
    return this.#tokens[0] ?? { kind: 'end', value: '' };
  }

  #take(sign: string): boolean {
    const { kind, value } = this.#next();
    if (kind !== 'sign' || value !== sign) return false;
    this.#tokens.shift();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) this.#fail();
  }

  #fail(why = `unexpected ${JSON.stringify(this.#next().value)}`): never {
    throw new Error(`Expression ${this.#expression.trim()}: ${why}.`);
  }
}

function tokens(expression: string): Token[] {
  const text = expression.trim();
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`Expression ${text}: cannot be read from "${text.slice(at)}" on.`);
    const [, literal, number, name, sign] = match;
    if (literal !== undefined) found.push({ kind: 'text', value: literal });
    else if (number !== undefined) found.push({ kind: 'number', value: number });
    else if (name !== undefined) found.push({ kind: 'name', value: name });
    else found.push({ kind: 'sign', value: sign ?? '' });
  }
  return found;
}

/** What is not there is null, as GitHub has it. */
function property(value: Value, name: string): Value {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return value[Number(name)] ?? null;
  const key = Object.keys(value).find(key => key.toLowerCase() === name.toLowerCase());
  return key === undefined ? null : (value[key] ?? null);
}

function compare(left: Value, sign: string, right: Value): boolean {
  const [a, b] =
    typeof left === 'string' && typeof right === 'string'
      ? [left.toLowerCase(), right.toLowerCase()]
      : [asNumber(left), asNumber(right)];
  switch (sign) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

function asNumber(value: Value): number {
  return typeof value === 'object' && value !== null ? Number.NaN : Number(value);
}

function asText(value: Value): string {
  if (value === null) return '';
  return typeof value === 'object' ? (Array.isArray(value) ? 'Array' : 'Object') : String(value);
}

function isTrue(value: Value): boolean {
  return value !== null && value !== false && value !== 0 && value !== '';
}
