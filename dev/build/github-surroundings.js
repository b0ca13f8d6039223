// Stands in for what @actions/github brings and the sweep does not use (see dev/build.ts): its Octokit is given a fetch, and says nothing of the event.
export class HttpClient {
  getAgent() {}
  getAgentDispatcher() {}
}
export class Context {}
export const fetch = undefined;
