import * as library from '@huggingface/jinja';

/*
 * What is in use of `@huggingface/jinja`. Its own declarations import one another without file extensions, which TypeScript reads as `any` in an ESM project; so they are written down here.
 * It exports no classes of values or nodes, which is why both are told by their `type`.
 */

export interface Token {
  value: string;
  type: string;
}

/** A value while a template runs. */
export type Value =
  | { readonly type: 'StringValue'; value: string }
  | { readonly type: 'IntegerValue' | 'FloatValue'; value: number }
  | { readonly type: 'BooleanValue'; value: boolean }
  | { readonly type: 'ArrayValue' | 'TupleValue'; value: Value[] }
  | { readonly type: 'ObjectValue' | 'NamespaceValue' | 'KeywordArgumentsValue'; value: Map<string, Value> }
  | { readonly type: 'FunctionValue'; value: (args: Value[], scope: Environment) => Value }
  | { readonly type: 'NullValue'; value: null }
  | { readonly type: 'UndefinedValue'; value: undefined };

/** A scope. Each one, the inner ones too, is born with a function `namespace`. */
export interface Environment {
  readonly parent?: Environment;
  readonly variables: Map<string, Value>;
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
  lookupVariable(name: string): Value;
}

/** A name is a node too, of a test or a filter, without being a variable there. */
export interface Identifier {
  readonly type: 'Identifier';
  readonly value: string;
}

export interface Call {
  readonly type: 'CallExpression';
  readonly callee: Node;
  readonly args: Node[];
}

export interface Member {
  readonly type: 'MemberExpression';
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}

export interface Filter {
  readonly type: 'FilterExpression';
  readonly operand: Node;
  readonly filter: Identifier | Call;
}

export interface Select {
  readonly type: 'SelectExpression';
  readonly lhs: Node;
  readonly test: Node;
}

export interface For {
  readonly type: 'For';
  readonly iterable: Node;
}

export interface SetStatement {
  readonly type: 'Set';
  readonly assignee: Node;
  readonly value: Node | null;
}

export interface CallStatement {
  readonly type: 'CallStatement';
  readonly call: Call;
}

export type Node =
  | Identifier
  | Call
  | Member
  | Filter
  | Select
  | For
  | SetStatement
  | CallStatement
  | { readonly type: 'Program' }
  | { readonly type: 'StringLiteral'; readonly value: string }
  | { readonly type: 'IntegerLiteral' | 'FloatLiteral'; readonly value: number }
  | { readonly type: 'ArrayLiteral' | 'TupleLiteral'; readonly value: Node[] }
  | { readonly type: 'ObjectLiteral'; readonly value: Map<Node, Node> }
  | { readonly type: 'BinaryExpression'; readonly operator: Token; readonly left: Node; readonly right: Node }
  | { readonly type: 'UnaryExpression' | 'SpreadExpression' | 'KeywordSpreadExpression'; readonly argument: Node }
  | { readonly type: 'KeywordArgumentExpression'; readonly key: Identifier; readonly value: Node }
  | { readonly type: 'SliceExpression'; readonly start?: Node; readonly stop?: Node; readonly step?: Node }
  | { readonly type: 'TestExpression'; readonly operand: Node; readonly test: Identifier }
  | { readonly type: 'Ternary'; readonly condition: Node }
  | { readonly type: 'If'; readonly test: Node }
  | { readonly type: 'Macro'; readonly name: Identifier };

export const tokenize: (source: string) => Token[] = library.tokenize;
export const parse: (tokens: Token[]) => Node = library.parse;
export const Environment: new (parent?: Environment) => Environment = library.Environment;
/** `evaluate` is the one door: whatever is evaluated, also by the library itself, goes through it. */
export const Interpreter: new (
  environment: Environment,
) => { evaluate(node: Node | undefined, environment: Environment): Value } = library.Interpreter;

/** @returns what stands for a value of JSON, `undefined` or a function while a template runs. */
export function runtimeValue(value: unknown): Value {
  return new Environment().set('value', value);
}
