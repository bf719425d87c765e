;; Nothing is deprovisioned before two people agree. A policy in WebAssembly text: what a compiler makes of a
;; policy in any language, written by hand. `wasm-tools parse two-people.wat -o two-people.wasm` makes the component.
(component
  ;; The types of wit/policy.wit, in its order. A module that exports others is refused when it is loaded.
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

  (core module $policy
    (memory (export "memory") 1)
    (data (i32.const 1024) "two-people")
    (data (i32.const 1040) "1.0.0")
    (data (i32.const 1056) "deprovisioning takes two people")
    (data (i32.const 1088) "what cannot be taken back takes two people")
    (data (i32.const 1136) "deprovision")
    ;; A gate: which case it is, the rule, the reason, no details, one quorum, both lives left to the host.
    (data (i32.const 1152) "\02\00\00\00\00\04\00\00\0a\00\00\00\40\04\00\00\2a\00\00\00\00\00\00\00\00\00\00\00\c0\04\00\00\01\00\00\00")
    ;; The quorum: two people, of any group.
    (data (i32.const 1216) "\02\00\00\00")
    ;; The manifest: name, version, description; the rest of it is empty.
    (data (i32.const 1280) "\00\04\00\00\0a\00\00\00\10\04\00\00\05\00\00\00\20\04\00\00\1f\00\00\00")
    ;; Where 64 bytes are 0: to abstain, and to accept whatever settings there are, which are none.
    (global $nothing i32 (i32.const 1408))

    (global $free (mut i32) (i32.const 2048))
    ;; The host asks for room for what it hands over; an instance decides once, so nothing is ever freed.
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32) (local $end i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (local.set $end (i32.add (local.get $at) (local.get $size)))
      (global.set $free (local.get $end))
      (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
        (then (if (i32.eq (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1)))
                          (i32.const -1))
          (then unreachable))))
      (local.get $at))

    (func (export "describe") (result i32) (i32.const 1280))
    (func (export "configure") (param i32 i32) (result i32) (global.get $nothing))
    ;; Never asked: the classifier is the baseline, and this is not.
    (func (export "classify")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 3))

    ;; The verb lies at 68 of the request, and its length at 72.
    (func (export "decide") (param $request i32) (result i32)
      (if (call $is_deprovision
            (i32.load offset=68 (local.get $request)) (i32.load offset=72 (local.get $request)))
        (then (return (i32.const 1152))))
      (global.get $nothing))

    (func $is_deprovision (param $at i32) (param $length i32) (result i32)
      (if (i32.ne (local.get $length) (i32.const 11)) (then (return (i32.const 0))))
      (loop $each
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (if (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $length)))
                    (i32.load8_u offset=1136 (local.get $length)))
          (then (return (i32.const 0))))
        (br_if $each (local.get $length)))
      (i32.const 1)))
  (core instance $policy (instantiate $policy))

  (func (export "describe") (result $manifest)
    (canon lift (core func $policy "describe") (memory (core memory $policy "memory"))))
  (func (export "configure") (param "settings" (list $setting)) (result (result (error string)))
    (canon lift (core func $policy "configure")
      (memory (core memory $policy "memory")) (realloc (core func $policy "realloc"))))
  (func (export "classify") (param "caller" $caller) (result $class)
    (canon lift (core func $policy "classify")
      (memory (core memory $policy "memory")) (realloc (core func $policy "realloc"))))
  (func (export "decide") (param "request" $request) (result $verdict)
    (canon lift (core func $policy "decide")
      (memory (core memory $policy "memory")) (realloc (core func $policy "realloc"))))
)
