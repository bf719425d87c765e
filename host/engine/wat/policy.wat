;; A policy module by hand: the canonical ABI of the four exports around a few holes, named like
;; [this], that `guest.rs` fills. The memory is a module of its own so that `log` can be lowered on it.
(component
  (import "countersign:policy/log@0.1.0" (instance $log
    (export "write" (func (param "message" string)))))
  [import]

  (type $value-t (variant
    (case "text" string) (case "integer" s64) (case "decimal" f64) (case "boolean" bool)
    (case "texts" (list string)) (case "json" string)))
  (export $value "value" (type $value-t))
  (type $property-t (record (field "name" string) (field "value" $value)))
  (export $property "property" (type $property-t))
  (type $entity-t (record
    (field "kind" string) (field "id" string) (field "properties" (list $property))))
  (export $entity "entity" (type $entity-t))
  (type $credential-t (enum
    "anonymous" "verified-session" "org-token" "admin-token" "workspace-token" "provisioner" "vouched"
    "other"))
  (export $credential "credential" (type $credential-t))
  (type $role-t (enum "none" "reader" "editor" "admin" "other"))
  (export $role "role" (type $role-t))
  (type $caller-t (record
    (field "credential" $credential) (field "principal" string) (field "role" $role)
    (field "actor" string) (field "workspace" string) (field "subject" $entity)
    (field "properties" (list $property))))
  (export $caller "caller" (type $caller-t))
  (type $class-t (enum "human" "agent" "service" "unknown"))
  (export $class "caller-class" (type $class-t))
  (type $action-t (record (field "name" string) (field "properties" (list $property))))
  (export $action "action" (type $action-t))
  (type $tally-t (record (field "name" string) (field "count" u32)))
  (export $tally "tally" (type $tally-t))
  (type $request-t (record
    (field "caller" $caller) (field "class" $class) (field "action" $action)
    (field "resource" $entity) (field "time" u64) (field "tallies" (list $tally))
    (field "context" (list $property))))
  (export $request "request" (type $request-t))
  (type $ground-t (record
    (field "rule" string) (field "reason" string) (field "details" (list $property))))
  (export $ground "ground" (type $ground-t))
  (type $quorum-t (record (field "people" u32) (field "groups" (list string))))
  (export $quorum "quorum" (type $quorum-t))
  (type $terms-t (record
    (field "ground" $ground) (field "quorums" (list $quorum))
    (field "pending-ttl" (option u32)) (field "grant-ttl" (option u32))))
  (export $terms "terms" (type $terms-t))
  (type $verdict-t (variant
    (case "abstain") (case "allow" $ground) (case "gate" $terms) (case "deny" $ground)))
  (export $verdict "verdict" (type $verdict-t))
  (type $setting-t (record (field "name" string) (field "values" (list string))))
  (export $setting "setting" (type $setting-t))
  (type $setting-spec-t (record
    (field "name" string) (field "description" string) (field "default" (list string))))
  (export $setting-spec "setting-spec" (type $setting-spec-t))
  (type $tally-scope-t (enum "actor" "user" "workspace" "organisation"))
  (export $tally-scope "tally-scope" (type $tally-scope-t))
  (type $tally-spec-t (record
    (field "name" string) (field "scope" $tally-scope) (field "verbs" (list string))
    (field "window-seconds" u32)))
  (export $tally-spec "tally-spec" (type $tally-spec-t))
  (type $manifest-t (record
    (field "name" string) (field "version" string) (field "description" string)
    (field "settings" (list $setting-spec)) (field "tallies" (list $tally-spec))
    (field "context" (list string)) (field "clock-seconds" u32)
    (field "annotations" (list $property))))
  (export $manifest "manifest" (type $manifest-t))

  (core module $store
    (memory (export "memory") 2)
    ;; Where the strings and records of guest.rs end.
    (global $heap (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      [realloc]
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $heap) (i32.shl (memory.size) (i32.const 16)))
        (then (unreachable)))
      (local.get $at))
    (data (i32.const 1024) "[data]"))
  (core instance $store (instantiate $store))

  (core func $write (canon lower (func $log "write") (memory (core memory $store "memory"))))

  (core module $policy
    (import "store" "memory" (memory 2))
    (import "log" "write" (func $write (param i32 i32)))
    [globals]
    (global $count (mut i32) (i32.const 0))
    [functions]
    (func $start [start])
    (start $start)
    (func (export "describe") (result i32) [describe])
    (func (export "configure") (param $settings i32) (param $len i32) (result i32) [configure])
    (func (export "classify")
      (param $credential i32) (param $principal i32) (param i32) (param $role i32)
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) [classify])
    (func (export "decide") (param $request i32) (result i32) [decide]))
  (core instance $policy (instantiate $policy
    (with "store" (instance $store))
    (with "log" (instance (export "write" (func $write))))))

  (func (export "describe") (result $manifest)
    (canon lift (core func $policy "describe") (memory (core memory $store "memory"))))
  (func (export "configure") (param "settings" (list $setting)) (result (result (error string)))
    (canon lift (core func $policy "configure")
      (memory (core memory $store "memory")) (realloc (core func $store "realloc"))))
  (func (export "classify") (param "caller" $caller) (result $class)
    (canon lift (core func $policy "classify")
      (memory (core memory $store "memory")) (realloc (core func $store "realloc"))))
  (func (export "[decide-name]") (param "request" $request) (result $verdict)
    (canon lift (core func $policy "decide")
      (memory (core memory $store "memory")) (realloc (core func $store "realloc"))))
)
