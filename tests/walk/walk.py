"""The walk: chapters, their scenes, and one line for each sentence of the contract."""

import argparse
import concurrent.futures
import contextlib
import importlib
import inspect
import re
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import databases
from control_plane import ControlPlane
from host import Host, usual
from settings import Settings
from wire import Mismatch, Unwalkable

HERE = Path(__file__).parent
CHAPTERS = [
    "health", "errors", "configuration", "secrets_key", "sessions", "sign_in", "identity", "credentials", "roles",
    "provisioner", "browsers", "gate", "endings", "lost_answers", "digest", "names", "verbs", "org_tokens", "revoking",
    "workspaces", "workspace_tokens", "secret_routes", "approvals", "deciding", "withdrawing", "lives", "patience", "ask_ahead",
    "events", "control_plane_routes", "tenant_guard", "limits", "addresses", "policies", "records", "deprovision", "races",
]

LONGEST = ("patience", "lives", "limits", "policies", "configuration", "sessions", "addresses", "approvals")


class Sentence:
    """One sentence of the contract and what became of it."""

    def __init__(self, line):
        self.id, self.section, self.seen_from, self.text = line.split("\t")
        self.forget()

    def forget(self):
        """Begin a new walk."""
        self.faults = []
        self.skipped = None
        self.walked = False

    def take(self, other):
        """Take over what another chapter saw of it."""
        self.faults += other.faults
        self.skipped = self.skipped or other.skipped
        self.walked |= other.walked

    @property
    def verdict(self):
        """ok, FAILED, not walked, or inside."""
        if self.seen_from == "inside":
            return "inside"
        if self.seen_from == "later":
            return "not walked"
        if self.faults:
            return "FAILED"
        return "ok" if self.walked and self.skipped is None else "not walked"

    @property
    def reason(self):
        """Why it was not walked."""
        if self.seen_from == "later" and self.walked:
            return "it comes with a later part of the host" if self.faults else "it holds by now, and is still listed as `later`"
        return self.skipped or "no scene looked at it"


def sentences():
    """All sentences, by id."""
    lines = (HERE / "sentences.tsv").read_text("utf-8").splitlines()[1:]
    return {sentence.id: sentence for sentence in map(Sentence, lines)}


class Place:
    """One of the places of which each chapter that walks takes one."""

    def __init__(self, places):
        self.places = places
        self.taken = False

    def __enter__(self):
        self.places.acquire()
        self.taken = True

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        """Let another chapter begin; who has left goes on without a place."""
        if self.taken:
            self.taken = False
            self.places.release()


class Walk:
    """One chapter's walk on one database: it starts hosts, and notes which sentences hold."""

    def __init__(self, options, settings, database, place):
        self.options = options
        self.place = place
        self.binary = options.binary
        self.database = database
        self.component = options.component
        self.settings = settings
        self.sentences = sentences()
        self.said = []
        self.hosts = []
        self.planes = []
        self.shared = None

    def plane(self):
        """A control plane of its own."""
        self.planes.append(ControlPlane())
        return self.planes[-1]

    def start(self, plane=None, flags=(), data_dir=None, database=None, **environment):
        """A new host with the usual settings and these changes; None takes a setting away."""
        host = self.prepare(plane, flags, data_dir, database, **environment)
        return host.start()

    def prepare(self, plane=None, flags=(), data_dir=None, database=None, **environment):
        """The same host, not yet started."""
        plane = plane or self.plane()
        settings = self.database.fresh() if database is None else database
        host = Host(self.binary, {**usual(plane), **settings, **environment}, plane, flags, data_dir)
        self.hosts.append(host)
        return host

    @property
    def host(self):
        """The host that the scenes of a chapter share."""
        if self.shared is None:
            self.shared = self.start()
        return self.shared

    @contextlib.contextmanager
    def sentence(self, sentence_id):
        """Look at one sentence: a mismatch inside is its fault, and the walk goes on."""
        sentence = self.sentences[sentence_id]
        sentence.walked = True
        try:
            yield
        except Unwalkable as reason:
            sentence.skipped = str(reason)
        except Mismatch as fault:
            sentence.faults.append(str(fault))
        except NameError:
            sentence.faults.append("not reached: a sentence before it, on which it builds, does not hold")
        except Exception as error:  # the client's own mistake, or an answer that it did not foresee
            sentence.faults.append(f"{error!r} at {where(error)}")

    def only_on(self, kind):
        """Go on only where hosts keep their ledger in such a database."""
        if self.database.kind != kind:
            raise Unwalkable(f"it shows on {kind} only")

    def pause(self, seconds):
        """Wait for what only time brings; a long wait leaves its place to another chapter."""
        if seconds >= 5:
            self.place.leave()
        time.sleep(seconds)

    def fails(self, sentence_id, fault):
        """Note a fault that shows only at the end."""
        self.sentences[sentence_id].walked = True
        self.sentences[sentence_id].faults.append(fault)

    def chapter(self, name):
        """Walk one chapter: each scene, then a line for each of its sentences."""
        began = time.monotonic()
        module = importlib.import_module(f"chapters.{name}")
        ids = []
        for scene in module.SCENES:
            own = ids_of(scene)
            ids += [i for i in own if i not in ids]
            already = {i for i in own if self.sentences[i].walked}
            try:
                scene(self)
            except Unwalkable as reason:
                for i in own:
                    self.sentences[i].skipped = self.sentences[i].skipped or str(reason)
            except Exception as fault:
                text = str(fault) if isinstance(fault, Mismatch) else f"{fault!r} at {where(fault)}"
                for i in own:
                    if not self.sentences[i].walked or i in already:
                        self.fails(i, f"not reached in {scene.__name__}: {text}")
            self._leave(keep=self.shared)
        self._leave(keep=None)
        for i in ids:
            self.tell(name, self.sentences[i])
        self.said.append(f"{name}: {time.monotonic() - began:.1f} s")

    def tell(self, chapter, sentence):
        """One line for one sentence."""
        if self.options.failures and sentence.verdict != "FAILED":
            return
        line = f"{chapter:<20} {sentence.verdict:<10} {sentence.id:<36} {sentence.text}"
        if sentence.verdict == "FAILED":
            line += " · " + " · ".join(fault.replace("\n", " ")[:700] for fault in sentence.faults)
        elif sentence.verdict == "not walked":
            line += f" · {sentence.reason}"
        self.said.append(line)

    def _leave(self, keep):
        for host in [h for h in self.hosts if h is not keep]:
            host.discard()
            self.hosts.remove(host)
        for plane in [p for p in self.planes if keep is None or p is not keep.plane]:
            plane.stop()
            self.planes.remove(plane)
        if keep is None:
            self.shared = None

    def end(self):
        """Stop what is left, whatever happened."""
        self._leave(keep=None)


def ids_of(scene):
    """The sentences that a scene looks at, read from its own text."""
    found = re.findall(r'(?:sentence|fails)\(\s*"([^"]+)"', inspect.getsource(scene))
    return list(dict.fromkeys(found))


def where(error):
    """The file and line of this walk in which an error arose."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if str(HERE) in f.filename]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "an unknown place"


def arguments(argv):
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests/walk", description=__doc__)
    parser.add_argument("--binary", help="the countersign to walk")
    parser.add_argument("--database", action="append", help="sqlite (the default), or the URL of an empty PostgreSQL database; may be repeated")
    parser.add_argument("--chapter", action="append", choices=CHAPTERS, help="only this chapter; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="how many chapters at once (2)")
    parser.add_argument("--component", help="a policy component named baseline, for the sentences that push one")
    parser.add_argument("--failures", action="store_true", help="print only what does not hold")
    parser.add_argument("--list", action="store_true", help="list chapters and sentences, and walk nothing")
    return parser.parse_args(argv)


def listing():
    """Print each chapter with its sentences, then those that nobody walks."""
    known = sentences()
    left = dict(known)
    for name in CHAPTERS:
        for scene in importlib.import_module(f"chapters.{name}").SCENES:
            for i in ids_of(scene):
                print(f"{name:<20} {known[i].seen_from:<10} {i:<36} {known[i].text}")
                left.pop(i, None)
    for sentence in left.values():
        print(f"{'-':<20} {sentence.seen_from:<10} {sentence.id:<36} {sentence.text}")
    return 1 if any(sentence.seen_from != "inside" for sentence in left.values()) else 0


def main(argv=None):
    """Walk, and say how many sentences hold."""
    options = arguments(argv)
    if options.list:
        return listing()
    if not options.binary:
        raise SystemExit("say which binary to walk: --binary PATH/countersign")
    options.binary = str(Path(options.binary).expanduser().resolve(strict=True))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    failed = 0
    for text in options.database or ["sqlite"]:
        database = databases.named(text)
        print(f"walking on {database.name}", flush=True)
        try:
            found = chapters(options, database)
        finally:
            database.drop()
        failed += summary(found, whole=not options.chapter)
    return 1 if failed else 0


def chapters(options, database):
    """Walk the chapters, several at once, and print each as a whole when it is done; all sentences."""
    found = sentences()
    settings = Settings(options.binary)
    walks = []
    ending = threading.Event()
    places = threading.Semaphore(max(1, options.jobs))

    def one(name):
        """Walk one chapter with hosts of its own."""
        place = Place(places)
        walk = Walk(options, settings, database, place)
        with place:
            if not ending.is_set():
                walks.append(walk)
                walk.chapter(name)
        return walk

    names = sorted(options.chapter or CHAPTERS, key=lambda name: name not in LONGEST)
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        try:
            for done in concurrent.futures.as_completed([pool.submit(one, name) for name in names]):
                walk = done.result()
                for sentence in walk.sentences.values():
                    found[sentence.id].take(sentence)
                print("\n".join(walk.said), flush=True)
        finally:
            ending.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for walk in walks:
                walk.end()
    return found


def summary(found, whole):
    """The last lines of one walk; how many sentences do not hold."""
    told = [s for s in found.values() if whole or s.walked or s.skipped]
    count = {v: sum(s.verdict == v for s in told) for v in ("ok", "FAILED", "not walked", "inside")}
    elsewhere = f"{count['not walked']} not walked here, {count['inside']} seen only from inside"
    print(f"{count['ok']} sentences hold, {count['FAILED']} do not ({elsewhere})", flush=True)
    return count["FAILED"]
