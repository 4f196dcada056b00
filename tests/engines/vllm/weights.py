"""The weights of a GGUF file as a folder that vLLM reads. Runs in vLLM's environment.

For models of the architecture `llama`, with tied embeddings.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader, dequantize
from safetensors.torch import save_file
from transformers import AutoTokenizer

__all__ = ["convert"]

OUTSIDE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
IN_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}


def convert(source: Path, folder: Path) -> None:
    """Write weights in bfloat16, the configuration and the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    reader = GGUFReader(source)
    config = configuration(reader)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    weights = {}
    for tensor in reader.tensors:
        weight = torch.tensor(dequantize(tensor.data, tensor.tensor_type))
        name, kind = renamed(tensor.name)
        weights[name] = (unpermuted(weight, heads[kind]) if kind in heads else weight).to(torch.bfloat16)
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / "model.safetensors")
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer.chat_template = reader.fields["tokenizer.chat_template"].contents()
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))  # last: it says that the folder is whole


def configuration(reader: GGUFReader) -> dict[str, Any]:
    """The model's configuration, out of the fields of the file."""

    def told(name: str) -> Any:
        return reader.fields[name].contents()

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "torch_dtype": "bfloat16",
        "tie_word_embeddings": True,
        "vocab_size": len(told("tokenizer.ggml.tokens")),
        "bos_token_id": told("tokenizer.ggml.bos_token_id"),
        "eos_token_id": told("tokenizer.ggml.eos_token_id"),
        "hidden_size": told("llama.embedding_length"),
        "intermediate_size": told("llama.feed_forward_length"),
        "num_hidden_layers": told("llama.block_count"),
        "num_attention_heads": told("llama.attention.head_count"),
        "num_key_value_heads": told("llama.attention.head_count_kv"),
        "rms_norm_eps": told("llama.attention.layer_norm_rms_epsilon"),
        "rope_theta": told("llama.rope.freq_base"),
        "max_position_embeddings": told("llama.context_length"),
    }


def renamed(name: str) -> tuple[str, str]:
    """The name of a tensor there, and what kind it is."""
    if name in OUTSIDE:
        return OUTSIDE[name], name
    in_layer = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    assert in_layer, f"no tensor of a llama with tied embeddings: {name}"
    layer, kind = in_layer.groups()
    return f"model.layers.{layer}.{IN_LAYER[kind]}.weight", kind


def unpermuted(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows in the order of before llama.cpp interleaved the two halves of each head."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
