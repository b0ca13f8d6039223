// Stands in for client-node's generated API (see dev/build.ts), which KubeConfig needs for makeApiClient alone: a call nobody makes.
export const createConfiguration = undefined;
export const ServerConfiguration = undefined;
