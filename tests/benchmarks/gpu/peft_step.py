"""One LoRA training step of Hugging Face PEFT, for comparison with `Ssti.Benchmarks step`.

The same shapes and protocol: a BERT of arctic-embed-xs's shape (random weights: values do not change the time), LoRA on
`dense`, the frozen head on concat(mean, last position), dropouts on, gradient clipping at 1, Adafactor, bf16 autocast.

    python peft_step.py [--batch 128] [--length 512] [--rank 64] [--steps 50] [--compile]

Prints one JSON line: milliseconds a step (median, minimum), rows/s, peak memory, and the versions used.
"""
import argparse
import json
import statistics
import time

import peft
import torch
import transformers
from transformers import BertConfig, BertModel
from transformers.optimization import Adafactor


class Classifier(torch.nn.Module):
    def __init__(self, config, classes):
        super().__init__()
        self.backbone = BertModel(config, add_pooling_layer=False)
        self.head = torch.nn.Linear(2 * config.hidden_size, classes)
        self.config = config

    def forward(self, input_ids, attention_mask):
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.head(torch.cat([hidden.mean(dim=1), hidden[:, -1]], dim=-1))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--batch", type=int, default=128)
    arguments.add_argument("--length", type=int, default=512)
    arguments.add_argument("--rank", type=int, default=64)
    arguments.add_argument("--steps", type=int, default=50)
    arguments.add_argument("--warmup", type=int, default=10)
    arguments.add_argument("--compile", action="store_true")
    arguments.add_argument("--no-dropout", action="store_true")
    a = arguments.parse_args()

    torch.manual_seed(0)
    drop = 0.0 if a.no_dropout else 0.1
    config = BertConfig(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
                        hidden_dropout_prob=drop, attention_probs_dropout_prob=drop)
    model = Classifier(config, 2)
    lora = peft.LoraConfig(r=a.rank, lora_alpha=a.rank, lora_dropout=0.0 if a.no_dropout else 0.05, target_modules=["dense"], bias="none")
    model = peft.get_peft_model(model, lora).cuda().train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = Adafactor(trained, lr=1e-4, eps=(1e-30, 1e-3), clip_threshold=1.0, decay_rate=-0.8, beta1=None, weight_decay=1e-5,
                          relative_step=False, scale_parameter=False, warmup_init=False)
    run = torch.compile(model) if a.compile else model

    ids = torch.randint(1000, 30000, (a.batch, a.length), device="cuda")
    mask = torch.ones_like(ids)
    mask[:, a.length * 3 // 4:] = 0  # a quarter of the positions are padding, as in real batches
    labels = torch.randint(0, 2, (a.batch,), device="cuda")

    def step():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = run(ids, mask)
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    for _ in range(a.warmup):
        step()
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(a.steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    median = statistics.median(times)
    print(json.dumps({
        "program": "peft" + (" compiled" if a.compile else ""), "batch": a.batch, "length": a.length, "rank": a.rank,
        "dropout": not a.no_dropout, "median_ms": round(median, 2), "min_ms": round(min(times), 2), "rows_per_s": round(1000 * a.batch / median),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2), "device": torch.cuda.get_device_name(),
        "torch": torch.__version__, "peft": peft.__version__, "transformers": transformers.__version__}))


if __name__ == "__main__":
    main()
