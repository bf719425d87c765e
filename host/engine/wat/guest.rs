//! Policy modules written by hand, for tests, the benchmark and the example: each says in WAT what is
//! peculiar about it, and is otherwise a module that allows everything.

/// A module in the making.
#[derive(Clone, Debug)]
pub struct Guest {
    pub name: &'static str,
    pub version: &'static str,
    /// Names of settings, each with its default.
    pub settings: Vec<(&'static str, &'static str)>,
    pub context: Vec<&'static str>,
    pub clock_seconds: u32,
    /// A tally that it asks for.
    pub tally: Option<&'static str>,
    pub rule: &'static str,
    pub reason: &'static str,
    /// How many people its gate demands.
    pub people: u32,
    /// The body of each function; `$allow`, `$gate`, `$deny`, `$abstain`, `$manifest`, `$ok`,
    /// `$refused` and `$text` are globals with the address of such a value, `$count` is a free one.
    pub start: &'static str,
    pub describe: &'static str,
    pub configure: &'static str,
    pub classify: &'static str,
    pub decide: &'static str,
    /// What happens first where the host asks for room.
    pub realloc: &'static str,
    /// More functions, and more imports of the component.
    pub functions: &'static str,
    pub import: &'static str,
    /// What `decide` is exported as.
    pub decide_name: &'static str,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            name: "baseline",
            version: "1.0.0",
            settings: Vec::new(),
            context: Vec::new(),
            clock_seconds: 0,
            tally: None,
            rule: "by-hand",
            reason: "a module by hand says so",
            people: 2,
            start: "",
            describe: "(global.get $manifest)",
            configure: "(global.get $ok)",
            classify: AGENT,
            decide: "(global.get $allow)",
            realloc: "",
            functions: "",
            import: "",
            decide_name: "decide",
        }
    }
}

/// A `classify` that takes every caller for an agent.
pub const AGENT: &str = "(i32.const 1)";

/// Where the data begins in memory.
const BASE: usize = 1024;

impl Guest {
    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The component's text, for whoever changes more in it than there are holes.
    pub fn text(&self) -> String {
        let mut data = Data::default();
        let mut globals = String::new();
        let mut global = |name: &str, at: u32| {
            globals.push_str(&format!("(global ${name} i32 (i32.const {at}))\n"));
        };

        let ground = [data.text(self.rule), data.text(self.reason), [0, 0]].concat();
        let quorum = data.record(&[self.people, 0, 0]);
        let terms = [&ground[..], &[quorum, 1, 1, 600, 1, 60]].concat();
        global("abstain", data.record(&[0; 13]));
        global("allow", data.record(&[&[1], &ground[..]].concat()));
        global("gate", data.record(&[&[2], &terms[..]].concat()));
        global("deny", data.record(&[&[3], &ground[..]].concat()));
        global("ok", data.record(&[0, 0, 0]));
        let refusal = data.text("`strict` must be true or false");
        global("refused", data.record(&[&[1], &refusal[..]].concat()));
        global("text", data.text("a note")[0]);
        let manifest = self.manifest(&mut data);
        global("manifest", data.record(&manifest));

        let holes = [
            ("[import]", self.import),
            ("[data]", &data.escaped()),
            ("[globals]", &globals),
            ("[functions]", self.functions),
            ("[start]", self.start),
            ("[describe]", self.describe),
            ("[configure]", self.configure),
            ("[classify]", self.classify),
            ("[decide-name]", self.decide_name),
            ("[decide]", self.decide),
            ("[realloc]", self.realloc),
        ];
        holes.iter().fold(
            include_str!("policy.wat").to_owned(),
            |text, (hole, what)| text.replace(hole, what),
        )
    }

    fn manifest(&self, data: &mut Data) -> Vec<u32> {
        let specs: Vec<u32> = self
            .settings
            .iter()
            .flat_map(|(name, default)| {
                let default = data.text(default);
                let values = data.record(&default);
                let description = data.text("a setting");
                [&data.text(name)[..], &description, &[values, 1]].concat()
            })
            .collect();
        let specs = [data.record(&specs), self.settings.len() as u32];
        let names: Vec<u32> = self
            .context
            .iter()
            .flat_map(|name| data.text(name))
            .collect();
        let names = [data.record(&names), self.context.len() as u32];
        let tally: Vec<u32> = self
            .tally
            .iter()
            .flat_map(|name| [&data.text(name)[..], &[0, 0, 0, 60]].concat())
            .collect();
        let tallies = [data.record(&tally), self.tally.iter().len() as u32];
        let description = data.text("written by hand");
        [
            data.text(self.name),
            data.text(self.version),
            description,
            specs,
            tallies,
            names,
            [self.clock_seconds, 0],
        ]
        .concat()
        .into_iter()
        .chain([0])
        .collect()
    }
}

/// The strings and records of a module, one after the other.
#[derive(Default)]
struct Data(Vec<u8>);

impl Data {
    /// The address and length of `text`.
    fn text(&mut self, text: &str) -> [u32; 2] {
        let at = self.here();
        self.0.extend(text.as_bytes());
        [at, text.len() as u32]
    }

    /// The address of `words`.
    fn record(&mut self, words: &[u32]) -> u32 {
        let at = self.here();
        self.0
            .extend(words.iter().flat_map(|word| word.to_le_bytes()));
        at
    }

    /// The next address, aligned for anything.
    fn here(&mut self) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        (BASE + self.0.len()) as u32
    }

    fn escaped(&self) -> String {
        self.0.iter().map(|byte| format!("\\{byte:02x}")).collect()
    }
}
