// The file that `failover init` writes: one that runs as it is, and shows what there is.
export function exampleFile(schema: string): string {
  return `# yaml-language-server: $schema=${schema}
#
# Groups for \`failover up\`: start as many as you like, on one machine or on several. Of each group one
# command is active, and another takes over when it is lost.
#
#   failover up --check      is this file right?
#   failover up              run its groups; SIGHUP reads the file again
#
# Every option of \`failover run\` may stand here, in camelCase: --heartbeat-timeout is heartbeatTimeout.
# \${NAME} is a variable of this file or of the environment, \${NAME:-DEFAULT} has a default, \${NAME:?MESSAGE}
# says what is missing; $$ is one $.

variables:
  INTERVAL: \${FAILOVER_EXAMPLE_INTERVAL:-5}

# What all groups share: their directory, their sockets, what answers over HTTP, their log.
# stateDir: /var/lib/failover
# http: 127.0.0.1:8008
# httpTokenFile: /etc/failover/token
# logFormat: json
# prefix: true

# Defaults for all groups.
defaults:
  heartbeatTimeout: 2s
  stopGrace: 5s

groups:
  # A list of words is run as it is.
  ticker:
    command: [sh, -c, 'while :; do echo "tick of epoch $FAILOVER_EPOCH"; sleep \${INTERVAL}; done']

  # A text is run by \`sh -c\`.
  clock:
    command: while :; do date; sleep \${INTERVAL}; done
    restart: on-failure

  # web:
  #   command: [node, server.js]
  #   health: http://127.0.0.1:8080/health
  #   promoteCommand: ./take-address.sh
  #   standby: armed
`;
}
