/** @returns the text as it has to be written where Kubernetes replaces $(NAME): in commands, arguments and values of variables */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}
