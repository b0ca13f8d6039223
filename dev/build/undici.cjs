// The part of undici that the action uses (see dev/build.ts), under the names that undici's index gives it.
const { request } = require('undici/lib/api/index.js');
const Agent = require('undici/lib/dispatcher/agent.js');
const ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js');

module.exports = {
  Agent,
  ProxyAgent,
  request: (url, { dispatcher, ...options }) =>
    request.call(dispatcher, { ...options, origin: url.origin, path: `${url.pathname}${url.search}` }),
};
