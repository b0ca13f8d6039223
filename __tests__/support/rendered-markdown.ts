import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** What a browser makes of Markdown in GitHub's flavour, HTML in it included. */
export class RenderedMarkdown {
  readonly #nodes: Node[];

  constructor(markdown: string) {
    const html = micromark(markdown, {
      allowDangerousHtml: true,
      extensions: [gfm()],
      htmlExtensions: [gfmHtml()],
    });
    this.#nodes = parseFragment(html).childNodes;
  }

  /** The elements as they are nested, with their attributes, and without the text: `p(code) table(tbody(tr(td td)))`. */
  skeleton(leftOut: readonly string[] = []): string {
    return skeletonOf(this.#nodes, leftOut);
  }

  /** The text of each element of that name, in order, `\n` for a line break. */
  texts(name: string): string[] {
    return elements(this.#nodes)
      .filter(element => element.tagName === name)
      .map(({ childNodes }) => textOf(childNodes));
  }

  get text(): string {
    return textOf(this.#nodes);
  }

  /** Cells of all tables, row by row. */
  get rows(): string[][] {
    return elements(this.#nodes)
      .filter(({ tagName }) => tagName === 'tr')
      .map(({ childNodes }) => childNodes.filter(isElement).map(cell => textOf(cell.childNodes)));
  }

  /** Where links lead to. */
  get links(): string[] {
    return elements(this.#nodes)
      .filter(({ tagName }) => tagName === 'a')
      .map(({ attrs }) => attrs.find(({ name }) => name === 'href')?.value ?? '');
  }

  /** Blocks of code by their language, without the line end that the fence adds. */
  get fences(): { language: string; text: string }[] {
    return elements(this.#nodes)
      .filter(({ tagName }) => tagName === 'pre')
      .flatMap(({ childNodes }) => childNodes.filter(isElement))
      .map(({ attrs, childNodes }) => ({
        language: attrs.find(({ name }) => name === 'class')?.value.replace('language-', '') ?? '',
        text: textOf(childNodes).replace(/\n$/, ''),
      }));
  }

  /** The pieces of text that GitHub looks through for mentions, emoji, references and formulas: not those in code. */
  get searched(): string[] {
    return searched(this.#nodes);
  }
}

function skeletonOf(nodes: Node[], leftOut: readonly string[]): string {
  return nodes
    .filter(isElement)
    .map(({ tagName, attrs, childNodes }) => {
      const inner = skeletonOf(childNodes, leftOut);
      if (leftOut.includes(tagName)) return inner;
      const attributes = attrs.map(({ name, value }) => ` ${name}=${value}`).join('');
      return `${tagName}${attributes}${inner && `(${inner})`}`;
    })
    .filter(Boolean)
    .join(' ');
}

function elements(nodes: Node[]): Element[] {
  return nodes.filter(isElement).flatMap(element => [element, ...elements(element.childNodes)]);
}

function textOf(nodes: Node[]): string {
  return nodes
    .map(node => {
      if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value;
      if (!isElement(node)) return '';
      return node.tagName === 'br' ? '\n' : textOf(node.childNodes);
    })
    .join('');
}

function searched(nodes: Node[]): string[] {
  return nodes.flatMap(node => {
    if (node.nodeName === '#text') return [(node as DefaultTreeAdapterTypes.TextNode).value];
    return isElement(node) && !['code', 'pre'].includes(node.tagName) ? searched(node.childNodes) : [];
  });
}

function isElement(node: Node): node is Element {
  return 'tagName' in node;
}
