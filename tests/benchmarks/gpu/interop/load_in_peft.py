"""Loads what a `train` stage wrote with Hugging Face PEFT, as the classifier that was measured, and compares logits.

    ssti export pipe.yaml train DIR/train; ssti export pipe.yaml eval DIR/eval; ssti export pipe.yaml data DIR/data; ssti export pipe.yaml model DIR/model
    python load_in_peft.py --model DIR/model --adapter DIR/train --data DIR/data --predictions DIR/eval/predictions.clean.jsonl

Prints one JSON line: rows, the largest difference of a logit, how many predictions differ, what PEFT warned of, and the versions used.
Exit code 1 when a key is missing or unexpected, a prediction differs (but for ties closer than the tolerance), or a logit differs by more than --tolerance.
"""
import argparse
import json
import pathlib
import sys
import warnings

import tokenizers
import torch
import transformers
from transformers import BertConfig, BertModel
from transformers.modeling_outputs import SequenceClassifierOutput

import peft
from peft import PeftModel
from safetensors.torch import load_file


class MeanAndLastClassifier(BertModel):
    """The published protocol's classifier: one linear on the mean over ALL positions, padding included, and the LAST position."""

    def __init__(self, config):
        super().__init__(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(2 * config.hidden_size, config.num_labels)

    def forward(self, input_ids=None, attention_mask=None, **_):
        hidden = super().forward(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return SequenceClassifierOutput(logits=self.classifier(torch.cat([hidden.mean(dim=1), hidden[:, -1]], dim=-1)))


def base_model(folder, labels):
    """The frozen encoder out of a model folder, its tensors under whatever prefix they have, with a head that the adapter replaces."""
    config = BertConfig.from_pretrained(folder, num_labels=labels)
    model = MeanAndLastClassifier(config)
    tensors = {}
    for file in sorted(pathlib.Path(folder).glob("*.safetensors")):
        tensors.update(load_file(str(file)))
    anchor = "embeddings.word_embeddings.weight"
    prefix = next(name for name in tensors if name.endswith(anchor))[: -len(anchor)]
    renamed = {
        name[len(prefix):].replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"): tensor.float()
        for name, tensor in tensors.items() if name.startswith(prefix)
    }
    wanted = {name for name in model.state_dict() if not name.startswith("classifier.") and not name.endswith("_ids")}
    absent = wanted - set(renamed)
    if absent:
        sys.exit(f"{folder} lacks {sorted(absent)[:4]}")
    model.load_state_dict({name: renamed[name] for name in wanted}, strict=False)
    return model


def tokenizer_of(folder, length):
    """The folder's tokenizer by Hugging Face's `tokenizers`, padding and cutting on the right to a length."""
    folder = pathlib.Path(folder)
    if (folder / "tokenizer.json").exists():
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        settings = json.loads((folder / "tokenizer_config.json").read_text()) if (folder / "tokenizer_config.json").exists() else {}
        lines = (folder / "vocab.txt").read_bytes().decode("utf-8").split("\n")
        vocabulary = {line.rstrip("\r"): number for number, line in enumerate(lines if lines[-1] else lines[:-1])}
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
            lowercase=settings.get("do_lower_case", True), strip_accents=settings.get("strip_accents"), handle_chinese_chars=settings.get("tokenize_chinese_chars", True))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])])
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=tokenizer.token_to_id("[PAD]"), pad_token="[PAD]")
    return tokenizer


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", required=True, help="the exported model stage")
    arguments.add_argument("--adapter", required=True, help="the exported train stage")
    arguments.add_argument("--data", required=True, help="the exported dataset that was evaluated as 'clean'")
    arguments.add_argument("--predictions", required=True, help="the exported evaluate stage's predictions.clean.jsonl")
    arguments.add_argument("--split", default="test")
    arguments.add_argument("--rows", type=int, default=2000, help="rows to compare, from the first")
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--tolerance", type=float, default=1e-4)
    a = arguments.parse_args()

    training = json.loads((pathlib.Path(a.adapter) / "training.json").read_text())
    info = json.loads((pathlib.Path(a.data) / "dataset.json").read_text())
    file = next(split["file"] for split in info["splits"] if split["name"] == a.split)
    texts = {row["id"]: row["text"] for row in map(json.loads, (pathlib.Path(a.data) / file).open(encoding="utf-8"))}
    with open(a.predictions, encoding="utf-8") as lines:
        ours = [json.loads(line) for _, line in zip(range(a.rows), lines)]

    torch.backends.cuda.matmul.allow_tf32 = False
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base_model(a.model, len(training["labels"])), a.adapter)
    said = [str(w.message) for w in caught if "key" in str(w.message).lower() or "adapter" in str(w.message).lower()]

    # Every tensor of the file must be in the model now, head included.
    state = model.state_dict()
    absent = []
    for name, tensor in load_file(str(pathlib.Path(a.adapter) / "adapter_model.safetensors")).items():
        held = [k for k in state if k.replace(".default", "").replace(".modules_to_save", "").removesuffix(".weight") == name.removesuffix(".weight")]
        if not any(state[k].shape == tensor.shape and torch.equal(state[k].float().cpu(), tensor.float()) for k in held):
            absent.append(name)

    model = model.to(device).eval()
    tokenizer = tokenizer_of(a.model, training["maxLength"])
    largest, differ = 0.0, 0
    with torch.no_grad():
        for at in range(0, len(ours), a.batch):
            part = ours[at:at + a.batch]
            encoded = tokenizer.encode_batch([texts[row["id"]] for row in part])
            ids, mask = (torch.tensor([getattr(row, key) for row in encoded], device=device) for key in ("ids", "attention_mask"))
            theirs = model(input_ids=ids, attention_mask=mask).logits.float().cpu()
            here = torch.tensor([row["logits"] for row in part])
            largest = max(largest, (theirs - here).abs().max().item())
            other = theirs.argmax(-1) != here.argmax(-1)
            top = here.topk(2, dim=-1).values
            differ += int((other & (top[:, 0] - top[:, 1] > a.tolerance)).sum())

    print(json.dumps({
        "rows": len(ours), "largestDifference": largest, "predictionsThatDiffer": differ, "warnings": said, "tensorsNotLoaded": absent, "class": type(model).__name__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu", "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__,
    }))
    sys.exit(1 if said or absent or differ or largest > a.tolerance else 0)


if __name__ == "__main__":
    main()
