"""The kinds of finding: what each is called, why it matters to a receiver, and how it is fixed.

In a title `{where}` says at which requests it happens, `{noun}` is what the contract's payloads are about,
`{proof}` how they prove their sender.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from retailops_sandbox.probe.report import Label, Outcome

GroupBy: TypeAlias = Literal["kind", "cells", "print"]
"""Which observations of a kind have one cause: all; those that fields and mutations explain; those of like
answers."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of finding."""

    key: str
    label: Label
    """For a kind of server the label where no valid request shows it; a valid one makes it the contract's."""
    title: str
    why: str
    mend: str
    server: bool = False
    source: str = ""
    """Where the demand comes from, if that is not the contract."""
    group_by: GroupBy = "kind"
    shown: str = ""
    """What the heat map has for it, in a few letters."""

    harms: bool = False
    """Whether it does harm, or gives away what nobody should see, though nothing but our advice objects."""
    is_of_many: bool = False
    """Whether it takes many answers to see it, so that its evidence tells of them all."""

    def label_of(self, *, valid: bool) -> Label:
        """What it rests on, by whether a valid request shows it."""
        return "contract" if self.server and valid else self.label

    @property
    def outcome(self) -> Outcome:
        """How a trial came out that shows it."""
        return "did not" if self.server or self.harms or self.label == "contract" else "to see"


_TIMEOUT = "The SDK's verify tool gives a receiver 15 seconds."

_KINDS = (
    # --- fails as a server ---
    Kind(
        key="down",
        label="contract",
        server=True,
        title="Goes down{where}",
        why="After such a request nothing is served until somebody starts the receiver again.",
        mend="Catch what goes wrong with a request where it is handled, and let the process go on.",
        group_by="cells",
        shown="down",
    ),
    Kind(
        key="crash",
        label="advice",
        server=True,
        title="Crashes{where}",
        why="A 5xx tells the caller nothing about the {noun}: it can only try again, and fails again.",
        mend="Read the member as one that may be missing or of another type, and refuse it with a 4xx that "
        "says what is wrong.",
        group_by="cells",
        shown="5xx",
    ),
    Kind(
        key="hang",
        label="advice",
        server=True,
        title="Never answers{where}",
        why="The caller waits until its own limit, and the receiver's worker is lost for as long.",
        mend="End every loop and every wait on a condition that such input meets, too, and give each wait a "
        "limit.",
        group_by="cells",
        shown="hang",
    ),
    Kind(
        key="hang-up",
        label="advice",
        server=True,
        title="Hangs up without an answer{where}",
        why="The caller cannot know whether the {noun} was dealt with.",
        mend="Catch the error where the request is handled, and answer with a status.",
        group_by="cells",
        shown="closed",
    ),
    Kind(
        key="malformed",
        label="advice",
        server=True,
        title="Answers with what is no HTTP{where}",
        why="No client can read such an answer.",
        mend="Let an HTTP library write status line, headers and length.",
        group_by="cells",
        shown="no HTTP",
    ),
    # --- breaks the contract ---
    Kind(
        key="accepts-wrong-token",
        label="contract",
        title="Accepts a wrong {proof}",
        why="Whoever knows the URL can make the receiver act.",
        mend="Compare the whole {proof} with the right one, byte by byte and in constant time, before "
        "anything else is done.",
        shown="2xx",
    ),
    Kind(
        key="wrong-token-acts",
        label="contract",
        title="Refuses a wrong {proof}, and acts all the same",
        why="The refusal is only told: the {noun} is dealt with for whoever knows the URL.",
        mend="Check the {proof} first, and return before anything is done.",
    ),
    Kind(
        key="wrong-refusal",
        label="contract",
        title="Refuses a wrong {proof} with another status than the contract's",
        why="The caller tells a wrong {proof} from other refusals by this status alone.",
        mend="Answer a wrong {proof} with the contract's status.",
        shown="status",
    ),
    Kind(
        key="refuses-valid",
        label="contract",
        title="Refuses a valid request{where}",
        why="The provider sends requests like this one: what it asks for is not done.",
        mend="Accept it: what the contract allows must not be refused.",
        group_by="cells",
        shown="4xx",
    ),
    Kind(
        key="wrong-status",
        label="contract",
        title="Answers valid requests with another status than the contract's",
        why="A caller that wants exactly the contract's status takes every other one for a failure.",
        mend="Answer with the contract's status.",
        shown="status",
    ),
    Kind(
        key="off-contract",
        label="contract",
        title="Answers off contract{where}",
        why="An answer that breaks its schema is not read: what it tells is lost.",
        mend="Make the answer as the schema says, also when something was wrong with the request, or refuse "
        "that with a 4xx.",
        group_by="print",
        shown="off",
    ),
    # --- a published source beside the contract ---
    Kind(
        key="null-array",
        label="documentation",
        title="Answers null where one published source wants an array",
        why="The published sources disagree about null: who reads by the stricter one fails.",
        mend="Answer with an empty array.",
    ),
    Kind(
        key="other-source",
        label="documentation",
        title="Answers what one published source does not allow",
        why="The published sources disagree: who reads by the stricter one fails.",
        mend="Answer with what all sources allow.",
        group_by="print",
    ),
    Kind(
        key="too-late",
        harms=True,
        label="documentation",
        title="Answers later than the provider waits",
        why="After its limit the caller takes the request for failed, and the receiver has acted.",
        mend="Answer first and do what takes long afterwards, or make it faster.",
        source=_TIMEOUT,
    ),
    # --- advice: what it does ---
    Kind(
        key="repeats",
        label="advice",
        harms=True,
        title="Acts twice on one {noun} when asked twice",
        why="Requests are repeated when an answer was lost: each repetition then has its effect again, such "
        "as a second refund.",
        mend="Remember what was done for an {noun}, and answer a repetition without doing it again.",
    ),
    Kind(
        key="races",
        label="advice",
        harms=True,
        title="Acts twice on one {noun} when asked twice at once",
        why="A repetition may come while the first request is still being dealt with.",
        mend="Claim the {noun} in one atomic step before acting: by a unique key, or a conditional update.",
    ),
    Kind(
        key="mixed-up",
        label="advice",
        harms=True,
        title="Answers with another {noun} than the one that was asked about",
        why="The caller notes the outcome at the wrong {noun}.",
        mend="Keep what belongs to a request in its own variables, not in a global or in a shared object. "
        "Where answers are kept, in a cache or by an idempotency key, let the key name the {noun}.",
    ),
    Kind(
        key="acts-on-method",
        label="advice",
        harms=True,
        title="Acts on other HTTP methods",
        why="Links, crawlers and previews send GET: none of them must have an effect.",
        mend="Let the route take the contract's method alone, and answer others with 405.",
    ),
    Kind(
        key="refused-acts",
        label="advice",
        harms=True,
        title="Refuses a request, and acts all the same",
        why="The caller takes the request for refused, and the {noun} was dealt with.",
        mend="Check the whole request before anything is done.",
    ),
    Kind(
        key="accepts-missing-token",
        label="advice",
        harms=True,
        title="Accepts a request without a {proof}",
        why="Whoever knows the URL can make it act. Published sources speak of a wrong {proof} only.",
        mend="Refuse a request without a {proof} as one with a wrong {proof}.",
        shown="2xx",
    ),
    Kind(
        key="accepts-anything",
        label="advice",
        harms=True,
        title="Tells what is no JSON as done",
        why="A request that was cut off on its way is told as done, and nothing was read of it.",
        mend="Answer 400 where the body cannot be read.",
        shown="2xx",
    ),
    Kind(
        key="same-answer",
        label="advice",
        harms=True,
        title="Gives the same answer whatever is asked",
        why="Requests that name no {noun} are told as done like all others: nothing was done for them.",
        mend="Answer by what was done, and tell what could not be done in an event. Where answers are kept, "
        "in a cache or by an idempotency key, let the key name the {noun}.",
    ),
    # --- advice: what its answers tell ---
    Kind(
        key="secret-echoed",
        label="advice",
        harms=True,
        title="Echoes a secret of the request",
        why="Answers are logged and shown in places where the token must not stand.",
        mend="Leave the token out of answers and messages.",
    ),
    Kind(
        key="stack-trace",
        label="advice",
        harms=True,
        title="Tells its stack traces",
        why="A trace shows strangers how the program is built, and tells the caller nothing that it can act "
        "on.",
        mend="Write it to the receiver's own log, and answer with a code and a message.",
    ),
    Kind(
        key="sql",
        label="advice",
        harms=True,
        title="Tells its SQL",
        why="A database's error shows strangers tables and columns, and often where values can be injected.",
        mend="Write it to the receiver's own log, and answer with a code and a message.",
    ),
    Kind(
        key="framework-page",
        label="advice",
        harms=True,
        title="Shows a framework's error page",
        why="Such a page is made for developers: it shows settings and source code to strangers.",
        mend="Switch the framework's debug mode off where strangers can reach the receiver.",
    ),
    Kind(
        key="file-path",
        label="advice",
        harms=True,
        title="Tells its own file paths",
        why="Paths show strangers how the receiver is installed.",
        mend="Leave them out of messages, and write them to the receiver's own log.",
    ),
    Kind(
        key="html",
        label="contract",
        title="Answers off contract: an HTML page where JSON is wanted",
        why="A caller that reads JSON takes the answer for a failure, although its status says that all is "
        "well.",
        mend="Answer with JSON as the schema says. A page often comes from a login or from an error handler "
        "before the receiver: exempt its URL.",
        group_by="print",
    ),
    Kind(
        key="contradiction",
        label="advice",
        harms=True,
        title="Contradicts itself: the outcome and the events do not fit",
        why="A caller that looks at the one takes for done what failed by the other.",
        mend="Say failure where an event is an error, and success where none is.",
    ),
    Kind(
        key="no-reason",
        label="advice",
        title="Tells of a failure without an event that says why",
        why="Nobody who reads the answer can know what to do: the reasons belong in the events.",
        mend="Add an event of an error with its code and a message.",
    ),
    Kind(
        key="no-code",
        label="advice",
        title="Tells events without a code",
        why="The caller tells causes apart by their codes.",
        mend="Give each event the code of its cause.",
    ),
    Kind(
        key="no-message",
        label="advice",
        title="Tells events without a message",
        why="People read the message to know what to do.",
        mend="Say in a sentence what happened.",
    ),
    Kind(
        key="foreign-association",
        label="advice",
        harms=True,
        title="Associates events with an {noun} that was not sent",
        why="The caller shows the event where it does not belong, or nowhere.",
        mend="Name the {noun} by the ids that the request had.",
    ),
    Kind(
        key="content-type",
        label="advice",
        title="Sends JSON without saying so in Content-Type",
        why="Clients and proxies go by the type: some do not read the answer, and a browser may run it as a "
        "page.",
        mend="Send Content-Type: application/json.",
        group_by="print",
    ),
    Kind(
        key="too-large",
        label="advice",
        title="Answers with more than is read{where}",
        why="Clients bound what they read: the answer is cut off.",
        mend="Answer with the events alone.",
        group_by="cells",
        shown="large",
    ),
    # --- advice: how long it takes ---
    Kind(
        key="serialised",
        label="advice",
        is_of_many=True,
        title="Serves one request at a time",
        why="Requests come several at once: the last of them waits for all the others.",
        mend="Let the server handle requests beside each other (workers, threads), and lock no more than one "
        "{noun}.",
    ),
    Kind(
        key="slows-down",
        label="advice",
        is_of_many=True,
        title="Gets slower with each request",
        why="After some days every answer comes too late.",
        mend="Look for what grows with each request: a list that is searched, a log in memory, connections "
        "that are not closed, a missing index.",
    ),
    Kind(
        key="scenario-fails",
        label="advice",
        title="Fails a scenario",
        why="Somebody wrote down that this must stay true.",
        mend="Look at what differs in the delivery, and correct the receiver, or what the scenario expects.",
        group_by="print",
    ),
    Kind(
        key="rate-limited",
        label="advice",
        title="Takes so many requests in a time, and refuses the others",
        why="What was answered 429 was not judged, and the provider may send many requests at once, too.",
        mend="For a probe, take the limit away or raise it; or probe with --max-requests, or one --only AREA "
        "at a time. Say in Retry-After when to come again.",
        shown="429",
    ),
    Kind(
        key="slow",
        label="advice",
        is_of_many=True,
        title="Is slow",
        why="Answers that come late are taken for failures when there is more to do than now.",
        mend="Answer first and do what takes long afterwards, or make it faster.",
    ),
)

KINDS: dict[str, Kind] = {each.key: each for each in _KINDS}
"""The kinds of finding by their keys."""


def kind_of(key: str) -> Kind:
    """The kind of a key. One that an older or newer version told is shown by its key."""
    found = KINDS.get(key)
    return found or Kind(key=key, label="advice", title=key.replace("-", " ").capitalize(), why="", mend="")
