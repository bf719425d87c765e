# What `policies/baseline` decides with its default settings, for Rego: the same rules in the same order,
# so that the first that holds answers. The sets of verbs are data, as they are settings there.
package countersign

verdict := {"effect": "deny", "rule": "unknown-verb"} if {
	not data.judged[input.action.name]
} else := {"effect": "deny", "rule": "secret-values"} if {
	reads_values
	not own_workspace_token
} else := {"effect": "allow", "rule": "person"} if {
	input.caller.class == "human"
} else := agent if {
	input.caller.class == "agent"
} else := {"effect": "allow", "rule": "provisioner-verb"} if {
	input.caller.credential == "provisioner"
	data.provisioning[input.action.name]
} else := {"effect": "deny", "rule": "provisioner-scope"} if {
	input.caller.credential == "provisioner"
} else := {"effect": "deny", "rule": "vouched-scope"} if {
	input.caller.credential == "vouched"
	agent.effect == "gate"
} else := {"effect": "deny", "rule": "vouched-scope"} if {
	input.caller.credential == "vouched"
	input.action.name == "secret_write"
} else := agent if {
	input.caller.credential == "vouched"
} else := {"effect": "deny", "rule": "unknown-caller"}

agent := {"effect": "deny", "rule": "people-only"} if {
	data.people_only[input.action.name]
} else := {"effect": "deny", "rule": "own-secret"} if {
	input.action.name == "secret_write"
	self_targeted
} else := {"effect": "allow", "rule": "own-lineage"} if {
	input.action.name == "org_token_revoke"
	input.resource["own-lineage"]
} else := {"effect": "allow", "rule": "own-rotation"} if {
	input.action.name == "workspace_token_mint"
	input.caller.credential == "workspace-token"
	input.resource.own
} else := {"effect": "allow", "rule": "stays-in-place"} if {
	input.action.name == "workspace_update"
	not moves
} else := {"effect": "gate", "rule": "agents-need-a-person"} if {
	data.gated[input.action.name]
} else := {"effect": "allow", "rule": "open-to-agents"}

reads_values if input.action.name == "secret_read"

reads_values if {
	input.action.name == "secret_list"
	input.arguments.values
}

own_workspace_token if {
	input.caller.credential == "workspace-token"
	self_targeted
}

self_targeted if {
	input.caller.workspace != ""
	input.resource.kind == "workspace"
	input.resource.id == input.caller.workspace
}

self_targeted if {
	input.caller.workspace != ""
	input.resource.workspace == input.caller.workspace
}

moves if input.arguments.parent

moves if "parent_id" in input.arguments.fields
