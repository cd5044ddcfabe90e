// Garbage collections, tasks, exceptions, native memory, reflection and JSON: what makes the runtime's own native code allocate.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var table = new ConcurrentDictionary<int, string>();
await Parallel.ForAsync(0, 20_000, async (number, _) =>
{
    if (number % 1000 == 0)
        await Task.Delay(1);
    table[number] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{number}")));
});
Console.WriteLine($"tasks {Digest(string.Concat(table.OrderBy(pair => pair.Key).Select(pair => pair.Value)))}");

int caught = 0;
for (int turn = 0; turn < 500; turn++)
{
    try
    {
        throw new InvalidOperationException($"turn {turn}");
    }
    catch (InvalidOperationException error) when (error.Message.EndsWith($"{turn}"))
    {
        caught++;
    }
}
Console.WriteLine($"exceptions {caught}");

long sum = 0;
nint[] blocks = new nint[2_000];
for (int turn = 0; turn < 10; turn++)
{
    for (int index = 0; index < blocks.Length; index++)
    {
        unsafe
        {
            byte* block = (byte*)NativeMemory.Alloc((nuint)(index % 700 + 1));
            block[index % 700] = (byte)index;
            blocks[index] = (nint)block;
        }
    }

    for (int index = 0; index < blocks.Length; index++)
    {
        unsafe
        {
            sum += ((byte*)blocks[index])[index % 700];
            NativeMemory.Free((void*)blocks[index]);
        }
    }
}
Console.WriteLine($"native {sum}");

var threads = Enumerable.Range(0, 50).Select(number => new Thread(() => Interlocked.Add(ref sum, new byte[10_000].Length + number))).ToList();
threads.ForEach(thread => thread.Start());
threads.ForEach(thread => thread.Join());
for (int turn = 0; turn < 5; turn++)
    GC.Collect();
Console.WriteLine($"threads {sum}");

string json = JsonSerializer.Serialize(Enumerable.Range(0, 5_000).Select(number => new { number, Name = $"name {number}", Half = number / 2.0 }));
Console.WriteLine($"json {json.Length} {Digest(JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json)))}");

static string Digest(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
