import { failureOf } from './errors.ts';
import { isList, StrictExpressions } from './expressions.ts';
import { type Environment, type Node, runtimeValue, type SetStatement, type Value } from './jinja.ts';
import { Failure, limitOf } from './limits.ts';
import type { Marks } from './marks.ts';
import { PLACE, VALUE } from './program.ts';
import type { Tag } from './source.ts';

/** Runs a template in which each `{{ }}` leaves a mark and its value is kept apart. */
export class TemplateInterpreter extends StrictExpressions {
  /** The values by the numbers of their marks. */
  readonly values: string[] = [];
  readonly tagOfValue: Tag[] = [];
  /** Whether every tag has done its part, so that the text is what the template means. */
  isWhole = true;
  readonly #tags: readonly Tag[];
  readonly #marks: Marks;

  constructor(environment: Environment, tags: readonly Tag[], marks: Marks) {
    super(environment);
    this.#tags = tags;
    this.#marks = marks;
  }

  /** @returns the text with its marks */
  render(program: Node, environment: Environment): string {
    try {
      return String(this.evaluate(program, environment).value);
    } catch (error) {
      const limit = limitOf(error);
      if (limit === undefined) throw error;
      this.isWhole = false;
      this.problem(limit.message);
      return '';
    }
  }

  protected override evaluateNode(node: Node, environment: Environment): Value {
    switch (node.type) {
      case 'CallExpression': {
        const { callee, args } = node;
        if (callee.type === 'Identifier' && (callee.value === PLACE || callee.value === VALUE)) {
          const [place, expression] = args;
          this.tag = place?.type === 'IntegerLiteral' ? this.#tags[place.value] : undefined;
          if (expression === undefined) return runtimeValue(null);
          return callee.value === PLACE
            ? this.evaluate(expression, environment)
            : this.#output(expression, environment);
        }
        const tag = this.tag;
        const value = super.evaluateNode(node, environment);
        this.tag = tag;
        this.#resolve(value);
        return value;
      }
      case 'If':
        return this.#statement(node, node.test, environment);
      case 'For': {
        const { iterable } = node;
        if (iterable.type !== 'SelectExpression') return this.#statement(node, iterable, environment);
        this.conditions.add(iterable.test);
        return this.#statement(node, iterable.lhs, environment);
      }
      case 'Set':
        return this.#set(node, environment);
      case 'Macro': {
        const nothing = this.byLibrary(node, environment);
        this.macros.add(environment.lookupVariable(node.name.value));
        return nothing;
      }
      case 'CallStatement': {
        const { callee } = node.call;
        return this.#statement(node, callee, environment, macro => {
          // What any other function returns is a value, and would become a part of the text here.
          if (!this.macros.has(macro)) throw new Failure('does not call a macro.');
        });
      }
      default:
        return super.evaluateNode(node, environment);
    }
  }

  /** A tag that is left out when its first part has no value, as neither of its branches is the right one. */
  #statement(node: Node, part: Node, environment: Environment, check?: (value: Value) => void): Value {
    const tag = this.tag;
    const value = this.#attempt(() => {
      const known = this.evaluate(part, environment);
      this.report(known);
      if (known.type === 'UndefinedValue') return undefined;
      check?.(known);
      if (node.type === 'For' && isList(known)) this.budget.step(known.value.length);
      return known;
    });
    const isCall = node.type === 'CallStatement';
    const text =
      value &&
      this.with([[part, value]], () =>
        this.#attempt(
          () =>
            isCall ? this.budget.deeper(() => this.byLibrary(node, environment)) : this.byLibrary(node, environment),
          tag,
        ),
      );
    this.tag = tag;
    if (text === undefined) this.isWhole = false;
    return text ?? runtimeValue('');
  }

  /** What is captured between `{% set x %}` and `{% endset %}` is a value from here on, so that filters see what it is. */
  #set(node: SetStatement, environment: Environment): Value {
    const tag = this.tag;
    const nothing = this.#attempt(() => {
      const value = this.byLibrary(node, environment);
      if (node.value === null) this.#resolve(this.evaluate(node.assignee, environment));
      return value;
    }, tag);
    this.tag = tag;
    if (nothing !== undefined) return nothing;
    if (node.assignee.type === 'Identifier') environment.setVariable(node.assignee.value, this.told);
    return runtimeValue(null);
  }

  /** Evaluates `{{ }}`: the value is kept, and its mark goes into the text. */
  #output(expression: Node, environment: Environment): Value {
    const tag = this.tag;
    const text = this.#attempt(() => {
      const value = this.evaluate(expression, environment);
      this.report(value);
      return value.type === 'UndefinedValue' ? undefined : this.#text(value);
    }, tag);
    this.budget.write(text?.length ?? 0);
    if (tag !== undefined) this.tagOfValue.push(tag);
    return runtimeValue(this.#marks.value(this.values.push(text ?? '') - 1));
  }

  #text(value: Value): string {
    if (value.type === 'FunctionValue') throw new Failure('is a function: call it with ( ).');
    this.budget.weigh(value);
    // As a workflow's own expressions have it. The word null would be text all the same.
    return value.type === 'NullValue' ? '' : value.toString();
  }

  /** In place, what holds marks becomes what they stand for. */
  #resolve(value: Value): void {
    if (value.type === 'StringValue' && this.#marks.isIn(value.value))
      value.value = this.#marks.filled(value.value, this.values);
  }

  /** @returns `undefined` where it fails, which is a problem of the tag then */
  #attempt<T>(evaluate: () => T, tag?: Tag): T | undefined {
    try {
      return evaluate();
    } catch (error) {
      const limit = limitOf(error);
      if (limit !== undefined) throw limit;
      const at = tag ?? this.tag;
      this.problem(`${at?.text} ${error instanceof Failure ? error.message : failureOf(error)}`, at);
      return undefined;
    }
  }
}
