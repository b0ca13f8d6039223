/** What a container may run as, and in. */
export interface Environment {
  name: string;
  inputs: Record<string, string>;
  /** Of its namespace. */
  labels?: string[];
  /** Set where the user of the container is one of its own. */
  ownUser?: true;
}

const AS_USER = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The first is what every image without a user of its own runs as. */
export const ENVIRONMENTS: Environment[] = [
  { name: 'as root', inputs: {} },
  { name: 'as a user that is not root', inputs: { security_context: '{runAsUser: 1000}' }, ownUser: true },
  {
    name: 'on a read-only root file system',
    inputs: { container_security_context: '{readOnlyRootFilesystem: true}' },
  },
  {
    name: 'in a namespace of the profile "restricted" of Pod Security',
    inputs: { container_security_context: JSON.stringify(AS_USER) },
    labels: ['pod-security.kubernetes.io/enforce=restricted'],
    ownUser: true,
  },
];
