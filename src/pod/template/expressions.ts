import { type Missing, nodePath, nodeText, undefinedSentence } from './errors.ts';
import {
  type Call,
  type Environment,
  type Filter,
  Interpreter,
  type Member,
  type Node,
  runtimeValue,
  type Value,
} from './jinja.ts';
import { Budget, bounded, range } from './limits.ts';
import type { Problem, Tag } from './source.ts';

/** Filters whose result may be as long as the product of what goes in. */
const MULTIPLYING = ['join', 'replace', 'indent', 'tojson'];

/**
 * Evaluates expressions, within bounds.
 * The library renders what is not defined as nothing. Here it is a problem wherever it is used, but for what Jinja has for it: `default`, `is defined`, and passing it on. A problem does not end the run, so that all are told.
 */
export class StrictExpressions extends Interpreter {
  /** The tag that runs. */
  protected tag: Tag | undefined;
  protected readonly budget = new Budget();
  protected readonly macros = new WeakSet<Value>();
  /** The conditions of loops, which the library evaluates within. */
  protected readonly conditions = new WeakSet<Node>();
  /** Stands for what has been told to be undefined. */
  protected readonly told = runtimeValue(undefined);
  readonly #problems = new Map<string, Problem>();
  readonly #missing = new WeakMap<Value, Missing>();
  /** The text that a function belongs to. */
  readonly #owners = new WeakMap<Value, Value>();
  /** Nodes that have been looked at before the library does it. */
  readonly #ready = new Map<Node, Value>();

  constructor(environment: Environment) {
    super(environment);
    environment.setVariable(
      'range',
      functionOf(args => runtimeValue(range(args))),
    );
  }

  get problems(): Problem[] {
    return [...this.#problems.values()];
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    if (node === undefined) return super.evaluate(node, environment);
    const ready = this.#ready.get(node);
    if (ready !== undefined) {
      this.#ready.delete(node);
      return ready;
    }
    this.budget.step();
    const value = bounded(this.evaluateNode(node, environment));
    if (node.type === 'CallExpression') this.budget.work([value]);
    if (value.type !== 'UndefinedValue' || !this.conditions.has(node)) return value;
    this.report(value);
    return runtimeValue(false);
  }

  /** Evaluates by the library, whose own `evaluate` comes back to this one's for every part. */
  protected byLibrary(node: Node, environment: Environment): Value {
    return super.evaluate(node, environment);
  }

  protected evaluateNode(node: Node, environment: Environment): Value {
    switch (node.type) {
      case 'StringLiteral':
        this.budget.write(node.value.length);
        return this.byLibrary(node, environment);
      case 'Identifier':
        return this.#variable(node.value, environment);
      case 'MemberExpression':
        return this.#member(node, environment);
      case 'CallExpression':
        return this.#call(node, environment);
      case 'FilterExpression':
        return this.#filter(node, environment);
      case 'TestExpression':
        if (/^(un)?defined$/.test(node.test.value)) return this.byLibrary(node, environment);
        return this.strictly(node, [node.operand], environment);
      case 'UnaryExpression':
        return this.strictly(node, [node.argument], environment);
      case 'BinaryExpression': {
        const isLazy = node.operator.value === 'and' || node.operator.value === 'or';
        return this.strictly(node, isLazy ? [node.left] : [node.left, node.right], environment);
      }
      case 'ArrayLiteral':
        return this.strictly(node, node.value, environment);
      case 'TupleLiteral': {
        // To the library a tuple is something else than a list where it matters, e.g. in a loop over pairs.
        const tuple = this.strictly(node, node.value, environment);
        return isList(tuple) ? listOf(tuple.value) : tuple;
      }
      case 'ObjectLiteral':
        return this.strictly(node, [...node.value].flat(), environment);
      case 'Ternary':
        return this.strictly(node, [node.condition], environment);
      case 'SelectExpression': {
        const value = this.strictly(node, [node.test], environment);
        return this.#named(value, () => ({
          ...missing(nodeText(node.lhs)),
          instead: 'has no value: the condition behind its "if" is false and there is no "else".',
        }));
      }
      default:
        return this.byLibrary(node, environment);
    }
  }

  /**
   * Evaluates `node` by the library, with `parts` of it evaluated before: all of them must be defined.
   * @param others parts that are known already
   */
  protected strictly(
    node: Node,
    parts: readonly Node[],
    environment: Environment,
    others: [Node, Value][] = [],
  ): Value {
    const known = parts.map((part): [Node, Value] => [part, this.evaluate(part, environment)]);
    for (const [, value] of known) this.report(value);
    if (known.some(([, { type }]) => type === 'UndefinedValue')) return this.told;
    this.#chargeFor(
      node,
      others.map(([, value]) => value),
      known.map(([, value]) => value),
    );
    return this.with([...others, ...known], () => this.byLibrary(node, environment));
  }

  protected with<T>(ready: [Node, Value][], evaluate: () => T): T {
    for (const [node, value] of ready) this.#ready.set(node, value);
    try {
      return evaluate();
    } finally {
      for (const [node] of ready) this.#ready.delete(node);
    }
  }

  #variable(name: string, environment: Environment): Value {
    let value = environment.lookupVariable(name);
    // Each scope's own function hides a variable of that name.
    for (let scope: Environment | undefined = environment; name === 'namespace' && scope; scope = scope.parent) {
      const own = scope.variables.get(name);
      if (own === undefined || own.type === 'FunctionValue') continue;
      value = own;
      break;
    }
    return this.#named(value, () => ({ ...missing(name), path: [name], near: () => namesIn(environment) }));
  }

  #member(node: Member, environment: Environment): Value {
    const object = this.evaluate(node.object, environment);
    const { property } = node;
    if (object.type === 'UndefinedValue') {
      const first = this.#missing.get(object);
      if (first === undefined) return object;
      return this.#named(runtimeValue(undefined), () => ({ ...first, text: nodeText(node), path: nodePath(node) }));
    }
    const parts =
      property.type === 'SliceExpression'
        ? [property.start, property.stop, property.step].filter(part => part !== undefined)
        : node.computed
          ? [property]
          : [];
    if (property.type === 'SliceExpression') this.budget.copy(object);
    const value = this.strictly(node, parts, environment, [[node.object, object]]);
    if (value.type === 'FunctionValue') this.#owners.set(value, object);
    return this.#named(value, () => {
      const path = nodePath(node);
      const text = nodeText(node);
      const names = object.type === 'ObjectValue' || object.type === 'NamespaceValue' ? object.value : new Map();
      return { text, path, first: { text, name: path.at(-1) ?? '' }, near: () => [...names.keys()] };
    });
  }

  #call(node: Call, environment: Environment): Value {
    const { callee } = node;
    const isNamespace = callee.type === 'Identifier' && callee.value === 'namespace';
    const called = isNamespace ? environment.lookupVariable(callee.value) : this.evaluate(callee, environment);
    this.report(called);
    if (called.type === 'UndefinedValue') return this.told;
    const strict = this.macros.has(called) ? [] : argumentsOf(node);
    return this.budget.deeper(() => this.strictly(node, strict, environment, [[callee, called]]));
  }

  #filter(node: Filter, environment: Environment): Value {
    const name = filterName(node);
    if (name === 'default') return this.byLibrary(node, environment);
    const operand = this.evaluate(node.operand, environment);
    this.report(operand);
    if (operand.type === 'UndefinedValue') return this.told;
    const args = node.filter.type === 'CallExpression' ? argumentsOf(node.filter) : [];
    // The first item of an empty list is no value of any kind to the library.
    const value: Value | undefined = this.strictly(node, args, environment, [[node.operand, operand]]);
    const text = nodeText(node);
    if (value === undefined)
      return this.#named(runtimeValue(undefined), () => ({
        ...missing(text),
        instead: 'has no value: the list is empty.',
      }));
    if (name === 'map' && isList(value) && value.value.some(({ type }) => type === 'UndefinedValue'))
      return this.#named(runtimeValue(undefined), () => ({
        ...missing(text),
        instead: 'names a field that not all items have.',
      }));
    return value;
  }

  #named(value: Value, name: () => Missing): Value {
    if (value.type === 'UndefinedValue' && value !== this.told && !this.#missing.has(value))
      this.#missing.set(value, name());
    return value;
  }

  protected report(value: Value): void {
    if (value.type !== 'UndefinedValue' || value === this.told) return;
    this.problem(undefinedSentence(this.#missing.get(value) ?? missing('something'), this.tag?.text ?? ''));
  }

  protected problem(sentence: string, tag = this.tag): void {
    const problem = { line: tag?.line, sentence };
    this.#problems.set(JSON.stringify(problem), problem);
  }

  #chargeFor(node: Node, others: Value[], parts: Value[]): void {
    const isOperator = node.type === 'BinaryExpression';
    const name = node.type === 'FilterExpression' ? filterName(node) : calledMethod(node);
    if (!isOperator && name === undefined) return;
    const owners = others.map(value => this.#owners.get(value) ?? value);
    this.budget.work([...owners, ...parts]);
    if (isOperator ? /^[+~]$/.test(node.operator.value) : /^(tojson|string|join)$/.test(name ?? ''))
      for (const value of [...owners, ...parts]) this.budget.weigh(value);
    if (name !== undefined && MULTIPLYING.includes(name)) this.budget.product(owners, parts);
  }
}

export function isList(value: Value): value is Extract<Value, { value: Value[] }> {
  return value.type === 'ArrayValue' || value.type === 'TupleValue';
}

function filterName({ filter }: Filter): string {
  const name = filter.type === 'Identifier' ? filter : filter.callee;
  return name.type === 'Identifier' ? name.value : '';
}

/** @returns `replace` of `text.replace(...)` */
function calledMethod(node: Node): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const { property } = node.callee;
  return property.type === 'Identifier' || property.type === 'StringLiteral' ? property.value : '';
}

function argumentsOf({ args }: Call): Node[] {
  return args.map(argument => {
    if (argument.type === 'SpreadExpression' || argument.type === 'KeywordSpreadExpression') return argument.argument;
    return argument.type === 'KeywordArgumentExpression' ? argument.value : argument;
  });
}

function missing(text: string): Missing {
  return { text, path: [text], first: { text, name: text }, near: () => [] };
}

function namesIn(environment: Environment): string[] {
  const names: string[] = [];
  for (let scope: Environment | undefined = environment; scope; scope = scope.parent)
    names.push(...[...scope.variables.keys()].filter(name => !/^(true|false|none)$/i.test(name)));
  return names;
}

function listOf(items: Value[]): Value {
  const made = runtimeValue([]);
  if (isList(made)) made.value = items;
  return made;
}

function functionOf(value: (args: Value[]) => Value): Value {
  const made = runtimeValue(() => null);
  if (made.type === 'FunctionValue') made.value = value;
  return made;
}
