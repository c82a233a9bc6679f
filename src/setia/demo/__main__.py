"""What `make demo` runs: the whole loop on a simulated shop, or on a file of the user's own."""

from __future__ import annotations

import argparse
import datetime as dt
import http.server
import shutil
import sys
from functools import partial
from pathlib import Path

from setia.app import Shop, init
from setia.cli.imports import Talk
from setia.cli.show import Bars, console
from setia.demo.loop import Loop
from setia.demo.mailbox import Mailbox
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import LANGUAGES, Speaker
from setia.predictions.candidates import CANDIDATES
from setia.refresh import Refreshed
from setia.report import proof
from setia.settings import ShopSettings
from setia.simulate import ShopSettings as SimulatedSettings
from setia.simulate import SimulatedShop
from setia.store.server import PrivateServer, destroy

WEEKS = 14
CUSTOMERS = 2000
MAILS_SHOWN = 3
MARKER = "demonstration.txt"


def main() -> None:
    """Run the demonstration; ends by saying where the report is, and serves it unless told not to."""
    arguments = _arguments()
    folder = arguments.folder.resolve()
    _clear(folder)
    say = console()
    try:
        if arguments.orders is None:
            _simulated(folder, arguments.language, arguments.weeks, arguments.customers)
        else:
            _own_file(folder, arguments.orders, arguments.currency, arguments.time_zone, arguments.language)
        PrivateServer.of(folder).stop()
    except SetiaError as problem:
        print(f"setia: {problem}", file=sys.stderr)  # noqa: T201
        sys.exit(problem.exit_code)
    report = folder / "reports" / f"report-{arguments.language}.html"
    say.print(f"\nThe report: {report}", markup=False)
    if arguments.serve:
        _serve(report, arguments.port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m setia.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    parser.add_argument("--orders", type=Path, help="an order file of your own instead of the simulated shop")
    parser.add_argument("--currency", default="IDR", help="of your own file")
    parser.add_argument("--time-zone", default="Asia/Jakarta", help="of your own file")
    parser.add_argument("--language", default="en", choices=LANGUAGES)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--serve", type=int, default=1)
    parser.add_argument("--port", type=int, default=8765)
    return parser.parse_args()


def _clear(folder: Path) -> None:
    """Remove the last demonstration, and nothing that is not one."""
    if (folder / MARKER).is_file():
        destroy(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by `make demo`, and removed by the next one.\n", encoding="utf-8")


def _simulated(folder: Path, language: str, weeks: int, customers: int) -> None:
    say = console()
    shop = ShopSettings.model_validate({"name": "Kopi Setia", "language": language})
    simulated = SimulatedShop(SimulatedSettings(seed=2026, customers=customers))
    say.print("Know: a simulated coffee shop, sixty weeks of orders.")
    bars = Bars()
    with Mailbox() as mailbox, Loop(folder, simulated, mailbox, shop, progress=bars) as loop:
        loop.begin("win-back")
        _say_plan(loop.shop)
        say.print(f"Act: {weeks} weeks of win-back e-mails over SMTP on loopback.")
        with bars.stage("weeks", weeks, "weeks") as stage:
            for week in range(weeks):
                loop.week()
                stage.advance(week + 1)
        (result,) = loop.shop.programmes.results()
        speaker = Speaker.of(language, "IDR")
        say.print("Prove:")
        say.print(f"  {proof.verdict(result.lift, speaker)}. {proof.finding(result, speaker)}", markup=False)
        settled = [e for e in loop.enrolled(result.measurement) if _over(e.entered_at, result.window_days, simulated)]
        true = simulated.true_difference(settled, result.window_days)
        say.print(f"  The simulator knows the truth: {speaker.points(true)}.", markup=False)
        _say_predicted(loop.look_ahead(), speaker)
        _reports(loop.shop)


def _over(entered_at: dt.datetime, window_days: int, simulated: SimulatedShop) -> bool:
    return entered_at + dt.timedelta(days=window_days) <= simulated.now


def _own_file(folder: Path, orders: Path, currency: str, time_zone: str, language: str) -> None:
    settings = {"name": orders.stem, "currency": currency, "time_zone": time_zone, "language": language}
    init(folder, ShopSettings.model_validate(settings))
    say = console()
    with Shop.open(folder, progress=Bars()) as shop:
        say.print(f"Know: {orders}\n", markup=False)
        talk = Talk(Speaker.of(language, currency), asks=False)
        shop.import_files([orders], tell=talk.file, confirm=talk.confirm)
        speaker = Speaker.of(language, currency)
        _say_predicted(shop.refresh(), speaker)
        _say_plan(shop)
        _render_mails(shop, language)
        placebo = shop.programmes.placebo("win-back")
        if placebo is not None:
            say.print(
                f"Prove: a placebo as of {placebo.as_of} is {proof.verdict(placebo.lift, speaker)}; "
                f"{placebo.false_claims} of {placebo.divisions} divisions would have claimed an effect.",
                markup=False,
            )
        _reports(shop)


def _say_predicted(done: Refreshed, speaker: Speaker) -> None:
    card = done.card
    if not card.totals:
        console().print(f"Predict: {card.reason}", markup=False)
        return
    quarter = next(each for each in card.totals if each["days"] == 90)
    orders, revenue = speaker.count(round(quarter["orders"])), speaker.money(quarter["revenue"])
    model = speaker(CANDIDATES[card.model][0])
    console().print(f"Predict: {orders} orders and {revenue} in the next 90 days, by {model}.", markup=False)


def _say_plan(shop: Shop) -> None:
    plan = shop.programmes.plan("win-back")
    speaker = Speaker.of("en", shop.settings.shop.currency)
    console().print(
        f"Decide: win-back as of {plan.as_of}: {speaker.count(plan.audience)} customers are overdue, "
        f"{speaker.count(plan.reachable)} can be reached; hold out {plan.share:.0%}, smallest effect it could show "
        f"{speaker.points(plan.smallest_effect).removeprefix('+')}.",
        markup=False,
    )


def _render_mails(shop: Shop, language: str) -> None:
    """There is nobody to write to without addresses: the mails are written all the same, to be looked at."""
    outbox = shop.folder / "outbox"
    outbox.mkdir(exist_ok=True)
    for step in range(1, MAILS_SHOWN + 1):
        written = shop.programmes.preview("win-back", step, language)
        (outbox / f"win-back-{step}.html").write_text(written.html, encoding="utf-8")
        (outbox / f"win-back-{step}.txt").write_text(f"{written.subject}\n\n{written.text}", encoding="utf-8")
    console().print(f"Act: the messages are rendered, not sent: {outbox}", markup=False)


def _reports(shop: Shop) -> None:
    shop.write_reports(LANGUAGES)


def _serve(report: Path, port: int) -> None:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(report.parent))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with server:
        say = console()
        say.print(f"Open http://127.0.0.1:{server.server_address[1]}/{report.name} (Ctrl-C ends it)", markup=False)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say.print("Ended.")


if __name__ == "__main__":
    main()
