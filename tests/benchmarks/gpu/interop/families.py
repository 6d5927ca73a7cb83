"""Adapters of tiny random BERTs, DistilBERTs and Llamas, from `ssti train` into PEFT and from PEFT into `ssti evaluate`.

    python families.py make DIR              models, rows, and adapters of PEFT with their logits (torch, transformers, peft, tokenizers)
    python families.py run DIR --ssti ssti   trainings and evaluations (no Python package; where ssti is); --device cuda: on a GPU, fp32
    python families.py compare DIR           what both computed (the same packages)

or `all` for the three in one place. Each step may be run again into the same folder: what it writes is written anew, and trainings come from the store in it. `compare` prints one JSON line for each family, variant and direction, with the largest difference of a logit, and exits with 1 when
one is more than --tolerance, or when PEFT warned of keys or left a tensor out.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import warnings

LENGTH = 16
WORDS = "the a film plot actor scene was is good bad dull fine long short very not".split()
FAMILIES = ["bert", "distilbert", "llama"]
VARIANTS = ["lora", "dora", "whole"]
BIASES = {"bert": True, "distilbert": True, "llama": False}
TARGETS = {"bert": ["query", "value", "output.dense"], "distilbert": ["q_lin", "v_lin", "lin2"], "llama": ["q_proj", "v_proj", "down_proj"]}
WORD_TABLE = {"bert": "word_embeddings", "distilbert": "word_embeddings", "llama": "embed_tokens"}
HEAD = {"bert": "classifier", "distilbert": "classifier", "llama": "score"}
LAST_LAYER = {"bert": r"layer\.1\..*", "distilbert": r"layer\.1\..*", "llama": r"layers\.1\..*"}


# ---- make -----------------------------------------------------------------------------------------------------------------------------------

def write_tokenizer(folder, family):
    """vocab.txt, or a tokenizer.json of Llama 2's form: a blank in front, bytes for what has no piece."""
    if family != "llama":
        (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
        return
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{value:02X}>" for value in range(256)] + ["\u2581"] + sorted(set("".join(WORDS)))
    merges = []
    for word in WORDS:
        for end in range(1, len(word) + 1):
            left, right, piece = "\u2581" + word[:end - 1], word[end - 1], "\u2581" + word[:end]
            if piece not in pieces:
                pieces.append(piece)
                merges.append(f"{left} {right}")
    special = [{"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
               for i, name in enumerate(["<unk>", "<s>", "</s>"])]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                    {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True,
                  "byte_fallback": True, "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": merges}}, ensure_ascii=False), encoding="utf-8")


def rows():
    draw = random.Random(40)
    made = []
    for i in range(96):
        label = i % 2
        words = draw.choices([w for w in WORDS if w not in ("good", "bad")], k=draw.randint(1, 18)) + ["good" if label else "bad"]
        draw.shuffle(words)
        made.append((" ".join(words), "pos" if label else "neg"))
    return made


def write_rows(folder):
    folder.mkdir(parents=True, exist_ok=True)
    made = rows()
    for split, part in (("train", made[:64]), ("test", made[64:])):
        (folder / f"{split}.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in part))


def tokens(folder, family, texts):
    """Ids and mask, cut and padded on the right, by Hugging Face's `tokenizers`."""
    import tokenizers
    import torch

    if family == "llama":
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        vocabulary = {line: i for i, line in enumerate((folder / "vocab.txt").read_text().split("\n")[:-1])}
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])])
    tokenizer.enable_truncation(LENGTH)
    pad = PAD[family]
    tokenizer.enable_padding(length=LENGTH, pad_id=pad, pad_token=tokenizer.id_to_token(pad))
    encoded = tokenizer.encode_batch(texts)
    return torch.tensor([row.ids for row in encoded]), torch.tensor([row.attention_mask for row in encoded])


# Of a Llama without a padding token it is the token that ends a text, as transformers advises and ssti has it.
PAD = {"bert": 0, "distilbert": 0, "llama": 2}


def classes(family):
    import transformers as t

    return {"bert": (t.BertConfig, t.BertModel, t.BertForSequenceClassification),
            "distilbert": (t.DistilBertConfig, t.DistilBertModel, t.DistilBertForSequenceClassification),
            "llama": (t.LlamaConfig, t.LlamaModel, t.LlamaForSequenceClassification)}[family]


def config_of(family, size):
    config = classes(family)[0]
    if family == "bert":
        return config(vocab_size=size, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96, max_position_embeddings=32, num_labels=2)
    if family == "distilbert":
        return config(vocab_size=size, dim=64, n_layers=2, n_heads=4, hidden_dim=96, max_position_embeddings=32, num_labels=2)
    return config(vocab_size=size, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=96,
                  max_position_embeddings=32, num_labels=2, pad_token_id=PAD["llama"], tie_word_embeddings=False)


def lora_config(family, variant):
    from peft import LoraConfig

    options = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": TARGETS[family], "modules_to_save": [HEAD[family]],
               "init_lora_weights": False}
    if variant == "dora":
        options |= {"use_dora": True, "use_rslora": True, "rank_pattern": {LAST_LAYER[family]: 2}, "alpha_pattern": {LAST_LAYER[family]: 6}}
    if variant == "whole":
        options |= {"modules_to_save": [HEAD[family], WORD_TABLE[family]], "bias": "all" if BIASES[family] else "none"}
    return LoraConfig(**options)


def require_packages():
    lacking = [name for name in ("torch", "transformers", "peft", "tokenizers", "safetensors") if importlib.util.find_spec(name) is None]
    if lacking:
        sys.exit(f"this step needs Python packages that are not here: {', '.join(lacking)}; install them (pip install {' '.join(lacking)}), "
                 "or run it where they are: 'run' alone needs ssti and no package")


def require_files(made_by, paths):
    absent = [str(path) for path in paths if not path.exists()]
    if absent:
        sys.exit(f"{absent[0]} is not there{f', nor are {len(absent) - 1} other files' if len(absent) > 1 else ''}: run '{made_by}' into this folder first, or copy the folder "
                 "whole from where that was run")


def make(root):
    require_packages()
    import torch
    from peft import get_peft_model

    write_rows(root / "rows")
    texts = [text for text, _ in rows()[64:]]
    for family in FAMILIES:
        torch.manual_seed(7)
        folder = root / family / "model"
        folder.mkdir(parents=True, exist_ok=True)
        write_tokenizer(folder, family)
        size = len((folder / "vocab.txt").read_text().split()) if family != "llama" else len(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
        base = classes(family)[2](config_of(family, size))
        with torch.no_grad():
            for parameter in base.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        base.save_pretrained(folder)
        for variant in VARIANTS:
            model = get_peft_model(classes(family)[2].from_pretrained(folder), lora_config(family, variant)).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.requires_grad:
                        parameter.add_(torch.randn_like(parameter) * 0.1)
            model.save_pretrained(root / family / f"peft-{variant}")
            ids, mask = tokens(folder, family, texts)
            with torch.no_grad():
                logits = model(input_ids=ids, attention_mask=mask).logits
            (root / family / f"peft-{variant}.json").write_text(json.dumps(logits.tolist()))


# ---- run ------------------------------------------------------------------------------------------------------------------------------------

def pipeline(family, device):
    options = {
        "lora": f"target-modules: {json.dumps(TARGETS[family])}",
        "dora": f"target-modules: {json.dumps(TARGETS[family])}, dora: true, rslora: true, "
                f"rank-pattern: [{{ modules: '{LAST_LAYER[family]}', rank: 2 }}], alpha-pattern: [{{ modules: '{LAST_LAYER[family]}', alpha: 6 }}]",
        "whole": f"target-modules: [all-linear], modules-to-save: [{WORD_TABLE[family]}]" + (", bias: all" if BIASES[family] else ""),
    }
    stages = ["  rows: { uses: dataset, with: { source: rows, labels: [neg, pos] } }", f"  model: {{ uses: model, with: {{ source: model, name: example/{family} }} }}"]
    for variant in VARIANTS:
        stages += [
            f"  ours-{variant}:\n    uses: train\n    needs: {{ data: rows, model: model }}\n"
            f"    with: {{ rank: 4, alpha: 8, train-head: true, max-length: {LENGTH}, steps: 30, batch-size: 8, learning-rate: 0.01, {options[variant]} }}",
            f"  ours-{variant}-measured: {{ uses: evaluate, needs: {{ model: model, adapter: ours-{variant}, clean: rows }} }}",
            f"  theirs-{variant}:\n    uses: adapter\n    needs: {{ model: model }}\n    with: {{ source: peft-{variant}, labels: [neg, pos], max-length: {LENGTH} }}",
            f"  theirs-{variant}-measured: {{ uses: evaluate, needs: {{ model: model, adapter: theirs-{variant}, clean: rows }} }}",
        ]
    return f"name: interop-{family}\nseed: 40\ncompute: {{ device: {device} }}\nstages:\n" + "\n".join(stages) + "\n"


def call(ssti, arguments, environment, what):
    done = subprocess.run([ssti, *arguments], env=environment)
    if done.returncode:
        # What went wrong ssti has just said; what is finished is kept.
        sys.exit(f"{what} failed (exit code {done.returncode}); mend what is said above and run the same command again, which goes on from what is finished:\n"
                 f"  SSTI_STORE={environment['SSTI_STORE']} {ssti} {' '.join(arguments)}")


def run(root, ssti, device):
    found = shutil.which(ssti)
    if found is None:
        sys.exit(f"there is no program '{ssti}': build it (dotnet build src/Ssti.Cli -c Release) and name it with --ssti, such as src/Ssti.Cli/bin/Release/net10.0/ssti")
    # Relative to where this was started, while ssti is given absolute paths only.
    ssti = os.path.abspath(found)
    require_files("make", [root / "rows" / "train.csv", root / "rows" / "test.csv"]
                  + [root / family / "model" / name for family in FAMILIES for name in ("config.json", "model.safetensors")]
                  + [root / family / f"peft-{variant}" / "adapter_model.safetensors" for family in FAMILIES for variant in VARIANTS])
    environment = os.environ | {"SSTI_STORE": str(root / "store")}
    for family in FAMILIES:
        path = root / family / "interop.yaml"
        path.write_text(pipeline(family, device))
        # The rows lie beside the families' folders: what a pipeline names itself stays in its own folder.
        rows_here = ["--set", f"rows.source={root / 'rows'}", "--quiet"]
        call(ssti, ["run", str(path), *rows_here], environment, f"the pipeline of {family}")
        for variant in VARIANTS:
            for stage in (f"ours-{variant}", f"ours-{variant}-measured", f"theirs-{variant}-measured"):
                # Written anew: a folder of an earlier run, perhaps of another model, must not be taken for this one's.
                shutil.rmtree(root / family / "out" / stage, ignore_errors=True)
                call(ssti, ["export", str(path), stage, str(root / family / "out" / stage), *rows_here], environment, f"the export of {stage} of {family}")


# ---- compare --------------------------------------------------------------------------------------------------------------------------------

def classifier_class(family):
    """The published protocol's classifier: one linear on the mean over ALL positions, padding included, and the LAST position."""
    import torch
    from transformers.modeling_outputs import SequenceClassifierOutput

    base = classes(family)[1]

    class MeanAndLastClassifier(base):
        def __init__(self, config):
            super().__init__(config, **({"add_pooling_layer": False} if family == "bert" else {}))
            self.classifier = torch.nn.Linear(2 * config.hidden_size, config.num_labels)

        def forward(self, input_ids=None, attention_mask=None, **_):
            hidden = super().forward(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return SequenceClassifierOutput(logits=self.classifier(torch.cat([hidden.mean(dim=1), hidden[:, -1]], dim=-1)))

    return MeanAndLastClassifier


def base_model(folder, family):
    from safetensors.torch import load_file

    config = classes(family)[0].from_pretrained(folder)
    config.num_labels = 2
    model = classifier_class(family)(config)
    tensors = load_file(str(folder / "model.safetensors"))
    prefix = {"bert": "bert.", "distilbert": "distilbert.", "llama": "model."}[family]
    renamed = {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    wanted = {name for name in model.state_dict() if not name.startswith("classifier.") and not name.endswith("_ids")}
    if wanted - set(renamed):
        sys.exit(f"{folder} lacks {sorted(wanted - set(renamed))[:4]}")
    model.load_state_dict({name: renamed[name] for name in wanted}, strict=False)
    return model


def predictions(folder):
    import torch

    return torch.tensor([json.loads(line)["logits"] for line in (folder / "predictions.clean.jsonl").open(encoding="utf-8")])


def compare(root, tolerance):
    require_packages()
    require_files("make", [root / family / f"peft-{variant}.json" for family in FAMILIES for variant in VARIANTS])
    require_files("run", [root / family / "out" / stage / name for family in FAMILIES for variant in VARIANTS for stage, name in (
        (f"ours-{variant}", "adapter_model.safetensors"), (f"ours-{variant}-measured", "predictions.clean.jsonl"),
        (f"theirs-{variant}-measured", "predictions.clean.jsonl"))])
    import peft
    import torch
    import transformers
    from peft import PeftModel
    from safetensors.torch import load_file

    failed = False
    texts = [text for text, _ in rows()[64:]]
    for family in FAMILIES:
        folder = root / family / "model"
        ids, mask = tokens(folder, family, texts)
        for variant in VARIANTS:
            exported = root / family / "out" / f"ours-{variant}"
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model = PeftModel.from_pretrained(base_model(folder, family), exported).eval()
            said = [str(w.message) for w in caught if "key" in str(w.message).lower() or "adapter" in str(w.message).lower()]
            # Every tensor of the file must be in the model now.
            state = {name.replace(".modules_to_save", "").replace(".default", "").removesuffix(".weight"): tensor
                     for name, tensor in sorted(model.state_dict().items(), key=lambda pair: ".modules_to_save." in pair[0])}
            absent = [name for name, tensor in load_file(str(exported / "adapter_model.safetensors")).items()
                      if not torch.equal(state.get(name.removesuffix(".weight"), torch.zeros(0)), tensor)]
            with torch.no_grad():
                theirs = model(input_ids=ids, attention_mask=mask).logits
            away = (theirs - predictions(root / family / "out" / f"ours-{variant}-measured")).abs().max().item()
            back = (torch.tensor(json.loads((root / family / f"peft-{variant}.json").read_text()))
                    - predictions(root / family / "out" / f"theirs-{variant}-measured")).abs().max().item()
            failed |= bool(said or absent) or not (away <= tolerance and back <= tolerance)
            print(json.dumps({"family": family, "variant": variant, "rows": len(texts), "sstiIntoPeft": away, "peftIntoSsti": back, "warnings": said, "tensorsNotLoaded": absent}))
    print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "tolerance": tolerance, "held": not failed}))
    return 1 if failed else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["make", "run", "compare", "all"])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--ssti", default="ssti", help="the program")
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where ssti computes; PEFT does on the CPU")
    arguments.add_argument("--tolerance", type=float, default=1e-4)
    a = arguments.parse_args()
    root = a.folder.resolve()
    if a.what in ("make", "all"):
        make(root)
    if a.what in ("run", "all"):
        run(root, a.ssti, a.device)
    sys.exit(compare(root, a.tolerance) if a.what in ("compare", "all") else 0)


if __name__ == "__main__":
    main()
