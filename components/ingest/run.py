"""The whole ingest: read the source, run the pipeline, check what came out, publish."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import itertools
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components import loading
from components.errors import PostersError
from components.files import file_digest, write_bytes, write_text
from components.ingest import manifest as manifests
from components.ingest import outcome, rejection, spans
from components.ingest.job import PLAN, Job, read_index
from components.ingest.look import cache_folder
from components.ingest.manifest import Tallies
from components.ingest.options import IngestOptions
from components.ingest.roots import LocalRoot, StoreRoot, open_root
from components.ingest.source import Source, write_image_lists, write_row_files
from components.ingest.spans import Span
from components.ingest.watch import Listener, Progress
from components.paths import AnyPath, is_remote, remove_tree, set_store_options


@dataclasses.dataclass(frozen=True)
class IngestResult:
    """What an ingest left.

    Attributes:
      folder: the span's folder.
      manifest: the content of its `manifest.json`.
      already_done: nothing was written, for all of the source is in the data root already.
      note: what else a person should know, in words; often empty.
    """

    folder: AnyPath
    manifest: Mapping[str, Any]
    already_done: bool
    note: str = ""


def ingest(
    csv: str | Path,
    images: str | Path | None,
    out: AnyPath,
    options: IngestOptions,
    progress: Progress | None = None,
    *,
    span: int | None = None,
    date: datetime.date | None = None,
    beam_options: Sequence[str] = (),
) -> IngestResult:
    """Writes the next span below `out` from a table and images, or leaves things as they were.

    Args:
      csv: the table, CSV or JSON Lines; a path on any file system that Beam knows.
      images: the folder with a file `<id>.<suffix>` for each of its rows, on any such file system;
        None where all are downloaded.
      out: the data root, made if it is not there: a path on a store, or a folder that every worker
        mounts under the same path.
      options: how to read the source.
      progress: called with (done, total) numbers of rows. A row is gone through twice, to look at
        its image and to write it, and each time counts half.
      span: the number of the span, 1 or more; None takes the next.
      date: the day that the source is of, by which windows of dates choose; None takes today's, in
        UTC. One that is there keeps its own.
      beam_options: as Beam's command line takes them, `--runner=...` for one; none runs here.

    Raises:
      PostersError: the source, the options or the place to write to need a person.
    """
    source = Source(str(csv), None if images is None else str(images))
    if source.images is None and options.url_column is None:
        raise PostersError(
            "there is nowhere to take images from: give --images, or name the table's column of "
            "addresses with --set ingest.url_column=NAME"
        )
    if span is not None and span < 1:
        raise PostersError(f"--span {span}: spans are numbered from 1")
    if any(is_remote(str(path)) for path in (*source, out)):
        set_store_options(beam_options)
    root = open_root(out)
    with root.held():
        return _ingest(source, root, options, progress, _Place(span, date), beam_options)


class _Place(NamedTuple):
    """Number and date that the span is to have; None leaves it to ingest."""

    number: int | None
    date: datetime.date | None


def _ingest(
    source: Source,
    root: LocalRoot | StoreRoot,
    options: IngestOptions,
    progress: Progress | None,
    wanted: _Place,
    beam_options: Sequence[str],
) -> IngestResult:
    out = root.folder
    earlier = spans.find_spans(out)
    fingerprint = manifests.describe_source(source.table, source.images)
    same = spans.find_same(earlier, fingerprint, options)
    if same is not None and wanted.number in (None, same.number):
        note = _other_date(same, wanted.date)
        return IngestResult(same.folder, same.manifest, already_done=True, note=note)
    spans.check_features(earlier, options)
    number = spans.choose_number(out, earlier, wanted.number)
    folder = out / f"span-{number}"
    with root.scratch(number) as scratch:
        job = _to_job(source, scratch, out, earlier, options)
        tallies = _run(job, source, folder, progress, beam_options)
        counts = manifests.count(tallies)
        if earlier and not counts["examples"] and counts["known"] + counts["changed"]:
            return _nothing_new(earlier[-1], scratch, folder, tallies)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        head = {"span": number, "date": (wanted.date or today).isoformat()}
        manifest = _complete(job, head, earlier, tallies, fingerprint)
        root.publish(scratch, folder, manifest)
    rejected_list(folder).unlink(missing_ok=True)
    return IngestResult(folder, manifest, already_done=False)


def _other_date(span: Span, date: datetime.date | None) -> str:
    """What to tell of a date that was asked for and that the span does not have."""
    there = span.manifest.get("date")
    if date is None or there == date.isoformat():
        return ""
    return f"it has {f'the date {there}' if there else 'no date'}, which stays: spans do not change"


def rejected_list(folder: AnyPath) -> AnyPath:
    """Where the rejected rows of a span that was not published are listed."""
    return folder.with_name(f"rejected-{folder.name}.csv")


def _to_job(
    source: Source, scratch: AnyPath, out: AnyPath, earlier: Sequence[Span], options: IngestOptions
) -> Job:
    vocabulary, counted = None, None
    indexes = tuple(span.folder / spans.INDEX for span in earlier)
    if earlier:
        # The last one's: it holds those of all before it.
        text = (earlier[-1].folder / spans.VOCABULARY).read_text(encoding="utf-8")
        vocabulary = tuple(label for label in text.split("\n") if label)
        counted = _count_others(indexes, vocabulary) if options.grow_vocabulary else None
    return Job(
        token=uuid.uuid4().hex,
        table_name=source.table_name,
        images=source.images,
        scratch=scratch,
        cache=cache_folder(out, options, spans.DOWNLOADS),
        indexes=indexes,
        vocabulary=vocabulary,
        counted=counted,
        options=options,
    )


def _count_others(indexes: Sequence[AnyPath], vocabulary: Sequence[str]) -> dict[str, int]:
    """How often labels that the vocabulary lacks occur in the published train examples."""
    counts: collections.Counter[str] = collections.Counter()
    for index in indexes:
        for line in read_index(index):
            if line["split"] == "train":
                counts.update(label for label in line["labels"] if label not in vocabulary)
    return dict(counts)


def _run(
    job: Job,
    source: Source,
    folder: AnyPath,
    progress: Progress | None,
    beam_options: Sequence[str],
) -> Tallies:
    """Runs the pipeline, puts the rejected rows together, and refuses what is too bad."""
    rows = write_row_files(source, job.work / "rows", job.options)
    listed = write_image_lists(source, job.work / "images")
    with loading.without_collecting():
        from components.ingest import graph

    listener = Listener(rows.count, progress)
    tallies = graph.run(job, rows.files, listed.files, beam_options, listener)
    rejected = job.scratch / spans.REJECTED
    _concatenate(rejected, (job.work / "rejected").glob("*.csv"), rejection.HEADER)
    outcome.check_any_found(tallies, source, rows, listed, job.options)
    try:
        outcome.check_rejected(tallies, source, rejected, job.options)
    except outcome.TooManyRejected as error:
        kept = rejected_list(folder)
        write_bytes(kept, rejected.read_bytes())
        raise PostersError(f"{error}\nAll of them are listed in {kept}") from error
    return tallies


def _nothing_new(last: Span, scratch: AnyPath, folder: AnyPath, tallies: Tallies) -> IngestResult:
    counts, rejected = manifests.count(tallies), manifests.by_reason(tallies)
    note = f"the source has nothing new: {counts['known']} of its ids are published as they are"
    if counts["changed"]:
        note += f", {counts['changed']} otherwise, which stay as they are"
    if rejected:
        kept = rejected_list(folder)
        write_bytes(kept, (scratch / spans.REJECTED).read_bytes())
        reasons = ", ".join(f"{number} {reason}" for reason, number in rejected.items())
        note += f". Left out, and listed in {kept}: {reasons}"
    return IngestResult(last.folder, last.manifest, already_done=True, note=note)


def _complete(
    job: Job,
    head: Mapping[str, Any],
    earlier: Sequence[Span],
    tallies: Tallies,
    fingerprint: Mapping[str, Any],
) -> dict[str, Any]:
    """Puts the span's remaining files into the scratch folder, and leaves nothing else there."""
    plan = json.loads((job.work / PLAN).read_text(encoding="utf-8"))
    vocabulary = tuple(plan["vocabulary"])
    added = () if job.vocabulary is None else vocabulary[len(job.vocabulary) :]
    outcome.check_splits(tallies, vocabulary, job.options, job.vocabulary is None)
    index = job.scratch / spans.INDEX
    _concatenate(index, (job.work / "index").glob("*.jsonl"))
    shards = [json.loads(path.read_text()) for path in (job.work / "shards").glob("*.json")]
    known = set(itertools.chain(*(_labels_met(span) for span in earlier))) if earlier else None
    counted = manifests.build(tallies, vocabulary, known, added)
    manifest = {
        "format_version": spans.FORMAT_VERSION,
        **head,
        "code": manifests.describe_code(),
        "source": dict(fingerprint),
        "options": job.options.to_manifest(),
        **counted,
        "shards": sorted(shards, key=lambda shard: shard["name"]),
        "index": {
            "name": spans.INDEX,
            "bytes": index.stat().st_size,
            "sha256": file_digest(index),
        },
    }
    text = "".join(f"{label}\n" for label in vocabulary)
    write_text(job.scratch / spans.VOCABULARY, text)
    write_text(
        job.scratch / spans.MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    )
    remove_tree(job.work)
    return manifest


def _labels_met(span: Span) -> Iterator[str]:
    """The labels that were in a span's source when the vocabulary was made, kept or dropped."""
    labels = span.manifest["labels"]
    return itertools.chain(labels["kept"], labels["dropped"])


def _concatenate(path: AnyPath, parts: Iterable[AnyPath], header: str = "") -> None:
    with path.open("wb") as file:
        file.write(header.encode())
        for part in sorted(parts):
            with part.open("rb") as content:
                shutil.copyfileobj(content, file)
